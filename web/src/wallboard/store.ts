// What the wallboard knows, and what a supervisor may ask of it.
import { signal } from '@preact/signals'
import { keep, kept } from '../shared/keep'
import { learnNames } from '../shared/names'
import type { Board, BoardEvents, BoardRequests, Closable, ClosingReason, Listening, Presence, WaitingContact } from '../shared/protocol'
import { connect, type Connection } from '../shared/socket'
import { adjustClock } from '../shared/time'

export const STALE_MS = 10_000
const TOKEN = 'board-token'

export const isTv = new URLSearchParams(location.search).get('tv') === '1'

export const board = signal<Board | null>(null)
/** When the board shown came in, on our own clock. */
export const heardAt = signal(0)
export const connection = signal<Connection<BoardRequests, BoardEvents> | null>(null)
export const token = signal<string | null>(isTv ? kept(TOKEN) : null)
export const tokenRefused = signal(false)
export const openQueue = signal<string | null>(null)
export const openReport = signal<'openings' | 'outcomes' | 'transfers' | 'estimates' | 'recordings' | null>(null)

export function useToken(value: string): void {
  tokenRefused.value = false
  keep(TOKEN, value)
  token.value = value
}

function forgetToken(): void {
  keep(TOKEN, null)
  token.value = null
  tokenRefused.value = true
}

/** Names come over REST; a screen that starts before the server asks again until it has them. */
function keepLearning(): void {
  learnNames().catch(() => setTimeout(keepLearning, 5000))
}

export function start(withToken: string | null): () => void {
  const link = connect<BoardRequests, BoardEvents>('/wallboard', withToken ? { auth: { token: withToken } } : {})
  connection.value = link
  let number = -1
  link.onUp(() => {
    number = -1
  })
  link.on('board', (next) => {
    if (next.number < number) return
    number = next.number
    adjustClock(next.at)
    heardAt.value = Date.now()
    board.value = next
  })
  const unwatch = link.link.subscribe((state) => {
    if (state === 'refused' && withToken) setTimeout(forgetToken)
  })
  keepLearning()
  return () => {
    unwatch()
    link.close()
    connection.value = null
    board.value = null
  }
}

const ask = <E extends keyof BoardRequests & string>(event: E, body: BoardRequests[E][0]): Promise<BoardRequests[E][1]> =>
  connection.value!.ask(event, body)

export const waitingIn = async (queue: string): Promise<WaitingContact[]> => (await ask('contacts', { queue, channel: '' })).contacts
export const move = (contact: string, queue: string, why: string): Promise<unknown> => ask('move', { contact, queue, why })
export const prioritise = (contact: string, priority: number, why: string): Promise<unknown> => ask('prioritise', { contact, priority, why })
export const close = (contact: string, why: string): Promise<unknown> => ask('close', { contact, why })
export const setPresence = (agent: string, presence: Presence, reason: string): Promise<unknown> =>
  ask('set_presence', { agent, presence, reason })
export const closeChannels = (municipality: string, channels: Closable[], reason: ClosingReason, until: number): Promise<unknown> =>
  ask('close_channels', { municipality, channels, reason, until: Math.round(until) })
export const openChannels = (municipality: string, channels: Closable[]): Promise<unknown> => ask('open_channels', { municipality, channels })
export const announceCalamity = (municipality: string, nl: string, en: string): Promise<unknown> => ask('announce_calamity', { municipality, nl, en })
export const withdrawCalamity = (municipality: string): Promise<unknown> => ask('withdraw_calamity', { municipality })
export const listen = (agent: string, mode: Listening | ''): Promise<unknown> => ask('listen', { agent, mode })
