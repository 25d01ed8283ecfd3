// What the desk does: connect, ask the server, and keep what it shows in step with the answers.
import { batch, effect } from '@preact/signals'
import { reasonName } from '../shared/names'
import type { DeskState, Me, Outside, Owner, Presence, Window } from '../shared/protocol'
import { Refusal } from '../shared/refusal'
import { connect, newId } from '../shared/socket'
import { signOut } from '../shared/session'
import { adjustClock, now, present } from '../shared/time'
import { sayError, words } from '../shared/words'
import type { DeskEvents, DeskRequests } from '../shared/protocol'
import {
  addMessage, connection, toFocus, current, desk, detailErrors, details, forgetAll, notice, openDialog, outgoing, page, selected, takeState, type,
  typed, typedIn, typingUntil, unread, without, type DeskConnection, type Outgoing,
} from './store'
import { texts } from './texts'

const DRAFT_MS = 600
const TYPING_EVERY_MS = 3000

export function start(): DeskConnection {
  const link = connect<DeskRequests, DeskEvents>('/desk')
  connection.value = link
  let number = -1
  link.onUp(() => {
    number = -1
    // What was read before may have changed meanwhile: the open contact is read again, the others when they are chosen.
    const open = selected.value
    details.value = open ? without(details.value, (contact) => contact !== open) : {}
    if (open) void load(open)
    outgoing.value.forEach((one) => void deliver(one))
    Object.keys(typed.value).forEach((contact) => keepDraft(contact, 0))
  })
  link.on('state', (state) => {
    if (state.number < number) return
    number = state.number
    adjustClock(state.at)
    const first = desk.value === null
    const agent = desk.value?.agent
    const before = desk.value?.contacts ?? []
    const fresh = takeState(state)
    dialOffered(state)
    tellPresence(agent)
    endShift()
    const closed = before.find((one) => one.wrap_up_due_at > 0 && one.wrap_up_due_at <= state.at + 1000 && !state.contacts.some((other) => other.contact === one.contact))
    if (closed) say(texts.value.wrapUpAutoDone)
    const answered = fresh.find((one) => one.channel === 'phone') ?? fresh.find((one) => one.contact === accepted)
    if (answered) void select(answered.contact)
    else if (!selected.value) {
      const next = first ? state.contacts[0] : state.contacts.find((one) => one.state === 'wrap_up' || one.unanswered) ?? state.contacts[0]
      if (next) void select(next.contact, false)
    }
  })
  link.on('message', (message) => {
    batch(() => {
      const news = addMessage(message)
      outgoing.value = outgoing.value.filter((one) => one.message !== message.message)
      if (message.author !== 'citizen') return
      typingUntil.value = without(typingUntil.value, (contact) => contact === message.contact)
      const seen = selected.value === message.contact && page.value === 'contacts' && !document.hidden
      if (news && !seen) unread.value = { ...unread.value, [message.contact]: (unread.value[message.contact] ?? 0) + 1 }
    })
  })
  link.on('delivery', ({ contact, number: of, status }) => {
    const detail = details.value[contact]
    if (!detail) return
    const messages = detail.messages.map((one) => (one.number === of ? { ...one, delivery: status } : one))
    details.value = { ...details.value, [contact]: { ...detail, messages } }
  })
  link.on('typing', ({ contact }) => {
    typingUntil.value = { ...typingUntil.value, [contact]: present() + 5000 }
  })
  return link
}

export function stop(): void {
  connection.value?.close()
  connection.value = null
  forgetAll()
}

export const ask = <E extends keyof DeskRequests & string>(event: E, body: DeskRequests[E][0]): Promise<DeskRequests[E][1]> => {
  const link = connection.value
  if (!link) return Promise.reject(new Refusal({ code: 'no_answer', message: '' }))
  return link.ask(event, body)
}

let noticeTimer = 0
export function say(text: string, bad = false): void {
  notice.value = { text, bad }
  clearTimeout(noticeTimer)
  noticeTimer = window.setTimeout(() => (notice.value = null), bad ? 10_000 : 4000)
}

/** For a button: does it, and says so when it did not work. */
export async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    say(sayError(error), true)
    return false
  }
}

// -- presence and offers -------------------------------------------------------------------------------------------

let wished = ''

export const setPresence = (presence: Presence, reason = ''): Promise<boolean> => {
  wished = `${presence} ${reason}`
  return attempt(() => ask('presence', { presence, reason }))
}

/** What others changed (a supervisor, another tab) is said; what the centre changed has a banner of its own. */
function tellPresence(before: Me | undefined): void {
  const me = desk.value?.agent
  if (!before || !me || me.reason in words.value.ownReasons) return
  const is = `${me.presence} ${me.reason}`
  if (is === `${before.presence} ${before.reason}`) return
  const own = is === wished
  wished = ''
  if (own) return
  say(texts.value.presenceChanged(words.value.personStates[me.presence], reasonName(me.reason)))
}

/** Paused until what is in hand is done; then the desk signs its agent off. */
export const END_OF_SHIFT = 'end_of_shift'

function endShift(): void {
  const { agent, contacts, offers } = desk.value ?? {}
  if (agent?.presence !== 'paused' || agent.reason !== END_OF_SHIFT || contacts?.length || offers?.length) return
  void setPresence('signed_off')
}

/** Logs out. Nobody is offered anything more; what is in hand goes back to its queue after a while. */
export async function leave(): Promise<void> {
  const busy = !!desk.value?.contacts.length
  if (desk.value && desk.value.agent.presence !== 'signed_off') await ask('presence', busy ? { presence: 'paused', reason: END_OF_SHIFT } : { presence: 'signed_off' }).catch(() => undefined)
  await signOut()
}

let accepted = ''
let lastStroke = 0

export const accept = (offer: string, contact: string): Promise<boolean> =>
  attempt(async () => {
    accepted = contact
    toFocus.value = contact
    await ask('accept', { offer })
    if (desk.value?.contacts.some((one) => one.contact === contact)) await select(contact)
  })

/** Declining twice in a row by a key that was held down or hit twice is one decline. */
export const decline = (offer: string, reason = ''): Promise<boolean> => {
  const moment = Date.now()
  if (moment - lastStroke < 700) return Promise.resolve(false)
  lastStroke = moment
  return attempt(() => ask('decline', { offer, reason }))
}

// -- contacts in hand ------------------------------------------------------------------------------------------------

export async function load(contact: string): Promise<void> {
  try {
    const { detail } = await ask('open', { contact })
    batch(() => {
      details.value = { ...details.value, [contact]: detail }
      detailErrors.value = without(detailErrors.value, (key) => key === contact)
      // What was typed here since goes before what the server kept.
      if (!(contact in typed.value)) type(contact, { reply: detail.draft ?? '', kept: detail.draft ?? '' })
    })
  } catch (error) {
    detailErrors.value = { ...detailErrors.value, [contact]: sayError(error) }
  }
}

export async function select(contact: string, show = true): Promise<void> {
  batch(() => {
    if (show) page.value = 'contacts'
    selected.value = contact
    unread.value = without(unread.value, (key) => key === contact)
  })
  if (!details.value[contact]) await load(contact)
}

export function step(by: 1 | -1): void {
  const list = desk.value?.contacts ?? []
  if (!list.length) return
  const at = list.findIndex((one) => one.contact === selected.value)
  const next = list[(at + by + list.length) % list.length]
  if (next) void select(next.contact)
}

const draftTimers = new Map<string, number>()

/** The server keeps the reply as it is typed, so that a reload or another computer has it. */
export function keepDraft(contact: string, after_ms = DRAFT_MS): void {
  clearTimeout(draftTimers.get(contact))
  draftTimers.set(
    contact,
    window.setTimeout(() => {
      const { reply, kept } = typedIn(contact)
      if (reply === kept || !(contact in typed.value)) return
      ask('draft', { contact, text: reply }).then(
        () => contact in typed.value && type(contact, { kept: reply }),
        () => undefined, // Sent again with the next key, or when the connection is back.
      )
    }, after_ms),
  )
}

let typingTold = 0
export function tellTyping(contact: string): void {
  if (Date.now() - typingTold < TYPING_EVERY_MS) return
  typingTold = Date.now()
  connection.value?.tell('typing', { contact })
}

export function sendTyped(contact: string): void {
  const { mode, reply, note } = typedIn(contact)
  const text = (mode === 'reply' ? reply : note).trim()
  if (!text) return
  const one: Outgoing = { contact, mode, message: newId('m'), text, at: present(), state: 'sending' }
  batch(() => {
    outgoing.value = [...outgoing.value, one]
    // A note is an aside: the next words are for the citizen again.
    type(contact, mode === 'reply' ? { reply: '' } : { note: '', mode: 'reply' })
  })
  setTimeout(() => document.querySelector<HTMLElement>('[data-box]')?.focus())
  keepDraft(contact, 0)
  void deliver(one)
}

export async function deliver(one: Outgoing): Promise<void> {
  const mark = (state: Outgoing['state']): void => {
    outgoing.value = outgoing.value.map((other) => (other.message === one.message ? { ...other, state } : other))
  }
  mark('sending')
  try {
    const { contact, message, text } = one
    const { number } = await ask(one.mode, { contact, message, text })
    batch(() => {
      outgoing.value = outgoing.value.filter((other) => other.message !== message)
      const known = details.value[contact]?.messages.some((other) => other.number === number)
      if (!known) addMessage({
        contact, number, message, text, author: one.mode === 'reply' ? 'agent' : 'note', name: desk.value?.agent.name ?? '', at: one.at, delivery: null,
      })
    })
  } catch (error) {
    mark('failed')
    if (!(error instanceof Refusal && error.code === 'no_answer')) say(sayError(error), true)
  }
}

export function finish(sure = false): void {
  const one = current.value
  if (!one || one.state !== 'active' || one.role !== 'owner') return
  if (!sure && typedIn(one.contact).reply.trim()) {
    openDialog.value = 'finish'
    return
  }
  void attempt(async () => {
    await ask('finish', { contact: one.contact })
    openDialog.value = null
  })
}

export const extendWrapUp = (contact: string): Promise<boolean> => attempt(() => ask('extend_wrap_up', { contact }))

export const addQuestion = (contact: string, topic: string): Promise<boolean> => attempt(() => ask('question', { contact, topic }))

export const wrapUp = (contact: string, resolved: boolean, topic: string, note: string, further: Record<string, boolean | null>): Promise<unknown> =>
  ask('wrap_up', { contact, resolved, topic, note, further })

const LAST_MS = 2500
const rescued = new Set<string>()

/** Wrap-up that closes by itself takes along what was filled in: an answer with its note, or the note alone. */
export function watchWrapUps(): void {
  effect(() => {
    const moment = now.value
    for (const one of desk.peek()?.contacts ?? []) {
      if (one.state !== 'wrap_up' || !one.wrap_up_due_at || one.wrap_up_due_at - moment > LAST_MS || rescued.has(`${one.contact} ${one.wrap_up_due_at}`)) continue
      const { wrapUpNote, wrapUpTopic, resolved, answers } = typed.peek()[one.contact] ?? {}
      const note = wrapUpNote?.trim() ?? ''
      if (resolved === undefined || (resolved === null && !note)) continue
      rescued.add(`${one.contact} ${one.wrap_up_due_at}`)
      const saved = resolved === null
        ? ask('note', { contact: one.contact, message: newId('m'), text: note })
        : wrapUp(one.contact, resolved, wrapUpTopic || one.topic, note, answers ?? {})
      saved.catch(() => undefined)
    }
  })
}

export const handOver = (contact: string, to: Owner, note: string): Promise<unknown> => ask('hand_over', { contact, ...to, note })

export const consult = (contact: string, agent: string): Promise<unknown> => ask('consult', { contact, agent })
export const passOutside = (contact: string, to: Outside, consult: boolean): Promise<unknown> => ask('pass_outside', { contact, consult, ...to })
export const together = (what: 'cancel_consult' | 'transfer' | 'conference' | 'cancel_outside', contact: string): Promise<boolean> => attempt(() => ask(what, { contact }))
export const record = (what: 'pause_recording' | 'resume_recording', contact: string): Promise<boolean> => attempt(() => ask(what, { contact }))
export const dropRecording = (contact: string): Promise<unknown> => ask('drop_recording', { contact })
export async function planCallback(asked: DeskRequests['plan_callback'][0]): Promise<void> {
  await ask('plan_callback', asked)
  if (details.value[asked.contact]) await load(asked.contact)
}
export const windowsOf = async (contact: string): Promise<Window[]> => (await ask('windows', { contact })).windows

/** The callback that is to be dialled as soon as it is offered. */
let toDial = ''

/** Keep a promise to call back now: its callback comes to this desk, and is accepted and dialled. */
export const callNow = (follow_up: string): Promise<boolean> =>
  attempt(async () => {
    const { contact } = await ask('call_now', { follow_up })
    if (desk.value?.contacts.some((one) => one.contact === contact)) await dial(contact)
    else {
      toDial = contact
      if (desk.value) dialOffered(desk.value)
    }
    page.value = 'contacts'
  })

function dialOffered(state: DeskState): void {
  const offer = state.offers.find((one) => one.contact === toDial)
  if (!offer) return
  toDial = ''
  void accept(offer.offer, offer.contact).then((well) => well && dial(offer.contact))
}

export const dial = (contact: string): Promise<boolean> => attempt(() => ask('dial', { contact }))
export const afterWorkDone = (): Promise<boolean> => attempt(() => ask('after_work_done', {}))

export async function makeFollowUp(contact: string, text: string, due_at: number, owner: Owner): Promise<void> {
  await ask('follow_up', { contact, text, due_at, ...owner })
  if (details.value[contact]) await load(contact)
}

export const why = async (contact: string) => (await ask('why', { contact })).decisions
export const readEarlier = async (contact: string, of: string) => (await ask('earlier', { contact, of })).detail
export const listFollowUps = async (mine: boolean) => (await ask('follow_ups', { mine })).follow_ups
export const followUpDone = (follow_up: string, note: string): Promise<unknown> => ask('follow_up_done', { follow_up, note })
export const followUpAssign = (follow_up: string, to: Owner): Promise<unknown> => ask('follow_up_assign', { follow_up, ...to })
