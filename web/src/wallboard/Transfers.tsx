// What became of calls that were transferred, against the three norms: in one line on the board, and per kind and queue.
import { transfers } from '../shared/api'
import { Icon } from '../shared/icons'
import { queueName } from '../shared/names'
import type { Board, TransferFigures, TransferNorms, TransferReport } from '../shared/protocol'
import { againstLimit, againstNorm, ICONS, normWord, number, percent, type Verdict } from './judge'
import { ReportDialog } from './ReportDialog'
import { texts } from './texts'

interface Figure { kind: 'helped' | 'wait' | 'fell_back'; value: string; norm: string; verdict: Verdict }

function figures(one: TransferFigures, norms: TransferNorms): Figure[] {
  const t = texts.value
  const said = (value: number | null, how: (it: number) => string): string => (value === null ? t.noneYet : how(value))
  return [
    { kind: 'helped', value: said(one.helped, percent), norm: t.ofTarget(percent(norms.helped)), verdict: againstNorm(one.helped, norms.helped) },
    { kind: 'wait', value: said(one.wait_seconds, (it) => t.seconds(number(it))), norm: t.ofTarget(t.seconds(number(norms.wait_seconds))), verdict: againstLimit(one.wait_seconds, norms.wait_seconds) },
    { kind: 'fell_back', value: said(one.fell_back, percent), norm: t.under(percent(norms.fell_back)), verdict: againstLimit(one.fell_back, norms.fell_back) },
  ]
}

export function TransferLine({ board }: { board: Board }) {
  const t = texts.value
  const lately = board.transfers_lately
  return (
    <section class="transfers" aria-labelledby="transfers-title" data-testid="transfers">
      <h2 id="transfers-title">{t.transferred} <span class="small muted number">{t.nOf(board.transfers.of)}</span></h2>
      <dl>
        {figures(board.transfers, board.transfer_norms).map((one) => (
          <div key={one.kind} class={`transfer-figure measure-${one.verdict}`} data-testid={`transfers-${one.kind}`}>
            <dt>{t.transferFigures[one.kind]}</dt>
            <dd class="measure-value"><strong class="number">{one.value}</strong><Icon name={ICONS[one.verdict]} /><span class="visually-hidden">{normWord(one.verdict)}</span></dd>
            <dd class="small muted">{one.norm}</dd>
          </div>
        ))}
      </dl>
      {lately.of > board.transfers.of && (
        <p class="small muted number">{t.lately(board.outcomes_days, figures(lately, board.transfer_norms).map((one) => one.value).join(' · '), t.nOf(lately.of))}</p>
      )}
    </section>
  )
}

export function TransfersDialog({ onClose }: { onClose: () => void }) {
  const t = texts.value
  const rows = (report: TransferReport): [string, TransferFigures][] => [
    [t.allTransfers, report.total],
    ...Object.entries(report.kinds).map(([kind, one]): [string, TransferFigures] => [t.transferKinds[kind] ?? kind, one]),
    ...Object.entries(report.queues).map(([id, one]): [string, TransferFigures] => [t.transferredFrom(queueName(id)), one]),
  ]
  return (
    <ReportDialog<TransferReport>
      title={t.transfersTitle} name="transfers" fetch={transfers} onClose={onClose}
      empty={(report) => (report.total.of === 0 ? t.noTransfers : '')}
      head={(report) => (
        <>
          <th scope="col">{t.transferred}</th><th scope="col" class="figure">n</th>
          {figures(report.total, report.norms).map((one) => <th key={one.kind} scope="col" class="figure">{t.transferFigures[one.kind]} <span class="small muted norm-below">{one.norm}</span></th>)}
        </>
      )}
      rows={(report) =>
        rows(report).map(([name, one]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td class="figure number">{one.of}</td>
            {figures(one, report.norms).map((figure) => <td key={figure.kind} class="figure number"><strong>{figure.value}</strong></td>)}
          </tr>
        ))
      }
      definitions={() => (['helped', 'wait', 'fell_back'] as const).map((kind) => [t.transferFigures[kind], t.transferDefinitions[kind]])}
    />
  )
}
