// First contact resolution by three measures, side by side and never mixed: each with its n and what it means.
import { useEffect, useId, useState } from 'preact/hooks'
import { outcomes } from '../shared/api'
import { locale } from '../shared/i18n'
import { Icon } from '../shared/icons'
import { topicName } from '../shared/names'
import { Dialog } from '../shared/parts'
import type { Board, Measures, OutcomeReport } from '../shared/protocol'
import { sayError, words } from '../shared/words'
import { againstNorm, ICONS, normWord, percent } from './judge'
import { isTv } from './store'
import { texts } from './texts'

const KINDS = ['agent', 'citizen', 'no_repeat'] as const
export const SPANS = [1, 7, 30, 366]

const share = (value: number | null): string => (value === null ? texts.value.noneYet : percent(value))
const markOf = (measures: Measures): string =>
  measures.mark === null ? texts.value.noneYet : new Intl.NumberFormat(locale.value, { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(measures.mark)

export function OutcomeTile({ board }: { board: Board }) {
  const t = texts.value
  return (
    <div class="tile tile-measures" data-testid="tile-resolved">
      <dt>{t.resolved} ({t.ofTarget(percent(board.resolved_target))})</dt>
      <dd class="measures">
        {KINDS.map((kind) => <Figure key={kind} kind={kind} board={board} />)}
      </dd>
    </div>
  )
}

/** What it means is shown on hover and on focus, and goes away with Esc. */
function Figure({ kind, board }: { kind: (typeof KINDS)[number]; board: Board }) {
  const t = texts.value
  const id = useId()
  const [hidden, hide] = useState(false)
  const one = board.outcomes[kind]
  const lately = board.outcomes_lately[kind]
  const verdict = againstNorm(one.share, board.resolved_target)
  return (
    <div
      class={`measure measure-${verdict}`} data-testid={`measure-${kind}`} data-hidden={hidden}
      onKeyDown={(event) => event.key === 'Escape' && hide(true)} onMouseLeave={() => hide(false)} onFocusOut={() => hide(false)}
    >
      {isTv ? <span class="measure-name">{t.measuresShort[kind]}</span> : <button type="button" aria-describedby={id}>{t.measuresShort[kind]}</button>}
      <span class="measure-value"><span class="tile-value number">{share(one.share)}</span><Icon name={ICONS[verdict]} /><span class="visually-hidden">{normWord(verdict)}</span></span>
      <span class="small muted number">{t.nOf(one.of)}</span>
      <span class="small muted number">{t.lately(board.outcomes_days, share(lately.share), t.nOf(lately.of))}</span>
      {!isTv && <span role="note" id={id} class="small">{t.definitions(board.repeat_days)[kind]}</span>}
    </div>
  )
}

export function OutcomesDialog({ onClose }: { onClose: () => void }) {
  const t = texts.value
  const [days, setDays] = useState(30)
  const [report, setReport] = useState<OutcomeReport | null>(null)
  const [error, setError] = useState('')
  useEffect(() => {
    outcomes(days).then(
      (found) => {
        setReport(found)
        setError('')
      },
      (problem) => setError(sayError(problem)),
    )
  }, [days])
  const rows: [string, Measures][] = report ? [[t.inAll, report.total], ...Object.entries(report.topics).map(([id, one]): [string, Measures] => [topicName(id), one])] : []
  return (
    <Dialog title={t.outcomesTitle} wide onClose={onClose} testid="outcomes-dialog">
      <div class="stack">
        <label class="compact row">
          {t.outcomesOver}
          <select value={days} onChange={(event) => setDays(Number(event.currentTarget.value))}>
            {SPANS.map((span) => <option key={span} value={span}>{t.overDays(span)}</option>)}
          </select>
        </label>
        {error && <p class="alert alert-action" role="alert">{error}</p>}
        {!report && !error && <p class="muted">{words.value.loading}</p>}
        {report && report.total.finished === 0 && <p class="muted">{t.noOutcomes}</p>}
        {report && report.total.finished > 0 && (
          <div class="scroll" tabIndex={0} role="group" aria-label={t.outcomesTitle}>
            <table class="table" data-testid="outcomes-table">
              <thead>
                <tr><th scope="col">{t.topic}</th><th scope="col" class="figure">{t.finished}</th>{KINDS.map((kind) => <th key={kind} scope="col" class="figure">{t.measures[kind]}</th>)}<th scope="col" class="figure">{t.mark}</th></tr>
              </thead>
              <tbody>
                {rows.map(([name, one]) => (
                  <tr key={name}>
                    <th scope="row">{name}</th>
                    <td class="figure number">{one.finished}</td>
                    {KINDS.map((kind) => <td key={kind} class="figure number"><strong>{share(one[kind].share)}</strong> <span class="small muted">{t.nOf(one[kind].of)}</span></td>)}
                    <td class="figure number">{markOf(one)}{one.mark_of > 0 && <span class="small muted"> {t.nOf(one.mark_of)}</span>}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        <dl class="small definitions">
          {KINDS.map((kind) => <div key={kind}><dt><strong>{t.measures[kind]}</strong></dt><dd>{t.definitions(report?.repeat_days ?? 7)[kind]}</dd></div>)}
        </dl>
      </div>
    </Dialog>
  )
}
