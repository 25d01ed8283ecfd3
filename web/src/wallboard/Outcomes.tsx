// First contact resolution by three measures, side by side and never mixed: each with its n and what it means.
import { useId, useState } from 'preact/hooks'
import { outcomes } from '../shared/api'
import { locale } from '../shared/i18n'
import { Icon } from '../shared/icons'
import { topicName } from '../shared/names'
import type { Board, Measures, OutcomeReport } from '../shared/protocol'
import { againstNorm, ICONS, normWord, percent } from './judge'
import { ReportDialog } from './ReportDialog'
import { isTv } from './store'
import { texts } from './texts'

const KINDS = ['agent', 'citizen', 'no_repeat'] as const

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
  return (
    <ReportDialog<OutcomeReport>
      title={t.outcomesTitle} name="outcomes" fetch={outcomes} onClose={onClose}
      empty={(report) => (report.total.finished === 0 ? t.noOutcomes : '')}
      head={() => (
        <><th scope="col">{t.topic}</th><th scope="col" class="figure">{t.finished}</th>{KINDS.map((kind) => <th key={kind} scope="col" class="figure">{t.measures[kind]}</th>)}<th scope="col" class="figure">{t.mark}</th></>
      )}
      rows={(report) => {
        const topics = Object.entries(report.topics).map(([id, one]): [string, Measures] => [topicName(id), one])
        return [[t.inAll, report.total] as [string, Measures], ...topics].map(([name, one]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td class="figure number">{one.finished}</td>
            {KINDS.map((kind) => <td key={kind} class="figure number"><strong>{share(one[kind].share)}</strong> <span class="small muted">{t.nOf(one[kind].of)}</span></td>)}
            <td class="figure number">{markOf(one)}{one.mark_of > 0 && <span class="small muted"> {t.nOf(one.mark_of)}</span>}</td>
          </tr>
        ))
      }}
      definitions={(report) => KINDS.map((kind) => [t.measures[kind], t.definitions(report?.repeat_days ?? 7)[kind]])}
    />
  )
}
