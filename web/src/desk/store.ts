// What the desk knows: the server's state, what is open, and what the agent has typed. Requests are in actions.ts.
import { batch, computed, signal } from '@preact/signals'
import type { DeskEvents, DeskRequests, DeskState, Detail, InHand, Message } from '../shared/protocol'
import type { Connection } from '../shared/socket'

export type DeskConnection = Connection<DeskRequests, DeskEvents>

export type Page = 'contacts' | 'follow-ups'
export type Mode = 'reply' | 'note'

/** A message that the server has not acknowledged yet; sent again with the same id. */
export interface Outgoing {
  contact: string
  mode: Mode
  message: string
  text: string
  at: number
  state: 'sending' | 'failed'
}

/** What the agent has typed in one contact. Only `reply` is kept by the server. */
export interface Typed {
  reply: string
  /** The reply as the server has it. */
  kept: string
  note: string
  wrapUpNote: string
  wrapUpTopic: string
  resolved: boolean | null
  /** Further question, by its topic -> settled; null = not asked after all. */
  answers: Record<string, boolean | null>
  mode: Mode
}

export const connection = signal<DeskConnection | null>(null)
export const desk = signal<DeskState | null>(null)
/** When the state shown came in, on our own clock. */
export const heardAt = signal(0)
export const page = signal<Page>('contacts')
export const selected = signal<string | null>(null)
export const details = signal<Record<string, Detail>>({})
export const detailErrors = signal<Record<string, string>>({})
export const unread = signal<Record<string, number>>({})
/** Contact -> until when its citizen counts as typing. */
export const typingUntil = signal<Record<string, number>>({})
export const outgoing = signal<Outgoing[]>([])
export const typed = signal<Record<string, Typed>>({})
/** The contact whose work area takes the keyboard when it appears: it was just accepted. */
export const toFocus = signal('')
export const openDialog = signal<'hand-over' | 'consult' | 'outside' | 'follow-up' | 'finish' | 'settings' | 'shortcuts' | 'end-shift' | 'log-out' | 'pause' | 'phone' | 'drop-recording' | 'recordings' | null>(null)
/** The contact to which a question is being added, or empty. */
export const asking = signal('')
/** A short word after something was done, or did not work. */
export const notice = signal<{ text: string; bad: boolean } | null>(null)

/** Reasons of a pause that have a banner of their own. */
export const OUT_OF_REACH = ['not_responding', 'connection_lost', 'phone_unreachable']

export const current = computed<InHand | null>(
  () => desk.value?.contacts.find((one) => one.contact === selected.value) ?? null,
)

const EMPTY: Typed = { reply: '', kept: '', note: '', wrapUpNote: '', wrapUpTopic: '', resolved: null, answers: {}, mode: 'reply' }
export const typedIn = (contact: string): Typed => typed.value[contact] ?? EMPTY

export function type(contact: string, change: Partial<Typed>): void {
  typed.value = { ...typed.value, [contact]: { ...typedIn(contact), ...change } }
}

/** Text that would be lost when the page closes now. */
export const unsaved = computed(
  () =>
    outgoing.value.length > 0 ||
    Object.values(typed.value).some((one) => one.reply !== one.kept || one.note.trim() !== '' || one.wrapUpNote.trim() !== ''),
)

export function without<T>(table: Record<string, T>, keys: (key: string) => boolean): Record<string, T> {
  return Object.fromEntries(Object.entries(table).filter(([key]) => !keys(key)))
}

/** A message takes its place by number; the same number again is no news. */
export function addMessage(message: Message): boolean {
  const detail = details.value[message.contact]
  if (!detail) return true
  const others = detail.messages.filter((one) => one.number !== message.number)
  const messages = [...others, message].sort((a, b) => a.number - b.number)
  details.value = { ...details.value, [message.contact]: { ...detail, messages } }
  return others.length === detail.messages.length
}

/** Takes the server's state; gives the contacts that are newly in hand. */
export function takeState(state: DeskState): InHand[] {
  const before = desk.value
  const had = new Set(before?.contacts.map((one) => one.contact))
  const has = new Set(state.contacts.map((one) => one.contact))
  const gone = (contact: string): boolean => !has.has(contact)
  batch(() => {
    desk.value = state
    heardAt.value = Date.now()
    details.value = without(details.value, gone)
    unread.value = without(unread.value, gone)
    typed.value = without(typed.value, gone)
    outgoing.value = outgoing.value.filter((one) => has.has(one.contact))
    if (selected.value && gone(selected.value)) {
      selected.value = null
      if (openDialog.value === 'hand-over' || openDialog.value === 'consult' || openDialog.value === 'outside' || openDialog.value === 'drop-recording' || openDialog.value === 'follow-up' || openDialog.value === 'finish') openDialog.value = null
    }
  })
  return before ? state.contacts.filter((one) => !had.has(one.contact)) : []
}

export function forgetAll(): void {
  batch(() => {
    desk.value = null
    selected.value = null
    details.value = {}
    unread.value = {}
    typed.value = {}
    outgoing.value = []
    openDialog.value = null
    page.value = 'contacts'
  })
}
