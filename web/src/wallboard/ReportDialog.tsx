// A report over a span of days: the choice of days, what went wrong or is empty, the table, and what its figures mean.
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Dialog } from '../shared/parts'
import { sayError, words } from '../shared/words'
import { texts } from './texts'

const SPANS = [1, 7, 30, 366]

interface Props<Report> {
  title: string
  name: string
  fetch: (days: number) => Promise<Report>
  /** What is said instead of a table when there is nothing to count; '' = there is. */
  empty: (report: Report) => string
  head: (report: Report) => ComponentChildren
  rows: (report: Report) => ComponentChildren
  definitions: (report: Report | null) => [term: string, meaning: string][]
  onClose: () => void
}

export function ReportDialog<Report>({ title, name, fetch, empty, head, rows, definitions, onClose }: Props<Report>) {
  const t = texts.value
  const [days, setDays] = useState(30)
  const [report, setReport] = useState<Report | null>(null)
  const [error, setError] = useState('')
  useEffect(() => {
    fetch(days).then(
      (found) => {
        setReport(found)
        setError('')
      },
      (problem) => setError(sayError(problem)),
    )
  }, [days])
  const nothing = report ? empty(report) : ''
  return (
    <Dialog title={title} wide onClose={onClose} testid={`${name}-dialog`}>
      <div class="stack">
        <label class="compact row">
          {t.outcomesOver}
          <select value={days} onChange={(event) => setDays(Number(event.currentTarget.value))}>
            {SPANS.map((span) => <option key={span} value={span}>{t.overDays(span)}</option>)}
          </select>
        </label>
        {error && <p class="alert alert-action" role="alert">{error}</p>}
        {!report && !error && <p class="muted">{words.value.loading}</p>}
        {nothing && <p class="muted">{nothing}</p>}
        {report && !nothing && (
          <div class="scroll" tabIndex={0} role="group" aria-label={title}>
            <table class="table" data-testid={`${name}-table`}>
              <thead><tr>{head(report)}</tr></thead>
              <tbody>{rows(report)}</tbody>
            </table>
          </div>
        )}
        <dl class="small definitions">
          {definitions(report).map(([term, meaning]) => <div key={term}><dt><strong>{term}</strong></dt><dd>{meaning}</dd></div>)}
        </dl>
      </div>
    </Dialog>
  )
}
