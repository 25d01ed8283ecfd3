// How a figure stands against its norm: the same three answers everywhere, each an icon, a word and a colour.
import type { IconName } from '../shared/icons'
import type { QueueFigures } from '../shared/protocol'
import { locale } from '../shared/i18n'
import { texts } from './texts'

export type Verdict = 'ok' | 'attention' | 'action' | 'quiet'

export const ICONS: Record<Verdict, IconName> = { ok: 'ok', attention: 'attention', action: 'action', quiet: 'quiet' }

/** A share of 0 to 1 as a percentage. */
export const percent = (share: number): string =>
  new Intl.NumberFormat(locale.value, { style: 'percent', maximumFractionDigits: 0 }).format(share)

/** Action below three quarters of the norm, attention below the norm. */
export function againstNorm(share: number | null, norm: number): Verdict {
  if (share === null || share === undefined) return 'quiet'
  if (share >= norm) return 'ok'
  return share >= norm * 0.75 ? 'attention' : 'action'
}

export const number = (value: number): string => new Intl.NumberFormat(locale.value, { maximumFractionDigits: 1 }).format(value)

/** The other way round, where less is better: attention from the limit on, action from a third beyond it. */
export function againstLimit(value: number | null, limit: number): Verdict {
  if (value === null) return 'quiet'
  if (value < limit) return 'ok'
  return value < limit / 0.75 ? 'attention' : 'action'
}

export const normWord = (verdict: Verdict): string => {
  const t = texts.value
  return { ok: t.above, attention: t.below, action: t.farBelow, quiet: t.noFigure }[verdict]
}

export function queueState(queue: QueueFigures): { verdict: Verdict; word: string; help: string } {
  const t = texts.value
  const kind = queue.alarm || (queue.waiting > 0 ? 'ok' : 'quiet')
  const verdict = ({ nobody: 'action', late: 'attention', ok: 'ok', quiet: 'quiet' } as const)[kind]
  return { verdict, word: t.states[kind], help: t.stateHelp[kind] }
}
