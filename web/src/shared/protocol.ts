// The types of docs/protocol.md, in its order. Times are UTC milliseconds, durations seconds.

export type Language = 'nl' | 'en'
/** A title in every language of the centre. */
export type Titles = Partial<Record<string, string>>

export const CHANNELS = ['phone', 'email', 'chat', 'post', 'counter', 'callback'] as const
export type Channel = (typeof CHANNELS)[number]
export const LIVE_CHANNELS: ReadonlySet<string> = new Set<Channel>(['phone', 'chat', 'counter'])

// -- 1. errors ------------------------------------------------------------------------------------------------

export type RefusalCode =
  | 'invalid' | 'not_signed_in' | 'not_allowed' | 'unknown' | 'wrong_state' | 'stale_offer' | 'key_reused' | 'erased'
  | 'too_large' | 'unsupported' | 'too_many' | 'unavailable' | 'refused' | 'closed' | 'full' | 'fault'
  /** Ours: no answer came (no connection, or the time was up). */
  | 'no_answer'

export interface WireError {
  code: RefusalCode
  message: string
  field?: string
}
export interface Problem {
  type: string
  title: string
  status: number
  code: RefusalCode
  detail?: string
  field?: string
}
export type Acknowledgement<T> = ({ ok: true } & T) | { ok: false; error: WireError }

// -- 2. signing in ---------------------------------------------------------------------------------------------

export type Role = 'agent' | 'supervisor' | 'integrator' | 'board'
export interface Session {
  user: string
  name: string
  role: Role
  /** The agent of the centre this person is, or empty. */
  agent: string
  language: Language
}

// -- 3. REST -----------------------------------------------------------------------------------------------------

export interface PartOfDay {
  id: string
  title: Titles
  start: number
  end: number
}

/** A part of one day in which a citizen may be called back. */
export interface Window {
  part: string
  call_from: number
  call_until: number
}

export interface CentreNames {
  name: string
  languages: string[]
  municipalities: { id: string; name: string; open?: Partial<Record<Channel, boolean>>; calamity?: Titles }[]
  topics: { id: string; title: Titles; queue: string }[]
  queues: { id: string; title: Titles; wrap_up_seconds?: number }[]
  /** Staff only. */
  agents?: { id: string; name: string; presence?: PersonState }[]
  /** Staff only. */
  pause_reasons?: { id: string; title: Titles }[]
  /** Staff only: to whom outside the centre calls may be put through. */
  destinations?: { id: string; title: Titles; kind: string }[]
  /** Whether a number may be typed as well. */
  typed_numbers?: boolean
  /** Whether there are conversations whose recordings one may listen to. */
  recordings?: boolean
  /** Staff only: in which promises to call back may fall; minutes of the local day. */
  parts_of_day?: PartOfDay[]
}

export type ContactState = 'intake' | 'waiting' | 'offered' | 'active' | 'wrap_up' | 'ended'

export interface Contact {
  id: string
  channel: Channel
  municipality: string
  state: ContactState
  topic: string
  queue: string
  language: string
  received_at: number
  state_since: number
  /** Until when a first answer is within the norm. */
  due_at: number | null
  agent: string | null
  offers: number
  messages: number
  ended_reason: string | null
  resolved: boolean | null
  /** Each with its own answer; the first is of `topic`. */
  questions: { topic: string; resolved: boolean | null }[]
  /** What the citizen said to "is uw vraag beantwoord?", and the mark, 1 to 10. */
  citizen_answered: boolean | null
  citizen_mark: number | null
  linked_to: string | null
  number: number
  /** Steps of widening that it has had in its queue. */
  step: number
  /** Its own, 1 (most urgent) to 9; null = its queue's. */
  priority: number | null
  /** Ways out of a queue that it has taken, as `<queue>><kind>:<to>`. */
  ways: string[]
}

/** Why nobody is there for somebody who waits. */
export type Stranded = 'nobody_has_skill' | 'nobody_signed_on' | 'nobody_reachable'

export interface Decision {
  offer: string
  at: number
  queue: string
  topic: string
  needs: Record<string, number>
  chosen: string
  /** `chance` and `score` in 1/10,000; 0 where the policy does not look at them. */
  candidates: { agent: string; level: number; idle_since: number; chance: number; score: number }[]
  excluded: Record<string, number>
  rule: string
  engine: string
  configuration: string
  waiting_before: number
  details: Record<string, string>
  /** Until when it is, or was, kept for a better agent; 0 = never. */
  reserved_until: number
  /** Steps of widening in force. */
  step: number
  stranded: Stranded | ''
}

export interface Measure {
  share: number | null
  of: number
}

export interface Measures {
  finished: number
  agent: Measure
  citizen: Measure
  no_repeat: Measure
  mark: number | null
  mark_of: number
}

export interface OutcomeReport {
  at: number
  since: number
  days: number
  repeat_days: number
  total: Measures
  queues: Record<string, Measures>
  topics: Record<string, Measures>
  definitions: Record<string, string>
}

/** Chances in 1/10,000. Of one agent, or (`agent` empty) of everybody at a level. */
export interface Estimate {
  agent: string
  level: number
  agents: number
  chance: number
  low: number
  high: number
  answered: number
  seconds: number
  on: boolean
}

export interface EstimateList {
  learning: 'off' | 'team' | 'person'
  learning_reason: string
  basis: '' | 'off' | 'team' | 'person'
  version: string
  published_at: number
  on: boolean
  topics: { topic: string; queue: string; price: number; reserve: boolean; on: boolean; estimates: Estimate[] }[]
  off: { topic: string; agent: string; by: string; at: number; why: string }[]
}

// -- 4.1 the desk --------------------------------------------------------------------------------------------------

export type Presence = 'ready' | 'paused' | 'signed_off'

/** free also in a call of ours; who is elsewhere (in another call) or unregistered gets no calls. */
export type TelephoneState = 'free' | 'elsewhere' | 'unregistered'

export interface Me {
  id: string
  name: string
  presence: Presence
  reason: string
  since: number
  phone: boolean
  /** That telephone lives in this desk. */
  softphone: boolean
  lost: boolean
  telephone: TelephoneState
  /** A transferred call left something to do; nothing is offered meanwhile. */
  after_work: boolean
}

export interface Offer {
  offer: string
  contact: string
  channel: Channel
  municipality: string
  topic: string
  /** Topics of the questions besides the first. */
  further: string[]
  queue: string
  language: string
  received_at: number
  offered_at: number
  expires_at: number
  purpose: string
  /** The colleague who handed it over, or empty. */
  handed_by: string
  /** The colleague who wants to consult, or empty. */
  asked_by: string
  declining: boolean
  citizen: { known: boolean; name: string; phone: string; email: string }
  subject: string
  earlier: number
  last: { channel: Channel; topic: string; at: number; resolved: boolean | null } | null
}

export interface InHand {
  contact: string
  channel: Channel
  state: 'active' | 'wrap_up'
  municipality: string
  topic: string
  /** Topics of the questions besides the first. */
  further: string[]
  /** It lies still beside what goes before it. */
  parked: boolean
  /** Since when its owner has the citizen on hold, in ms; 0 = they have not. */
  held_since: number
  queue: string
  language: string
  received_at: number
  accepted_at: number
  last_message_at: number
  unanswered: boolean
  wrap_up_due_at: number
  extensions_left: number
  name: string
  subject: string
  citizen_left: boolean
  owner: string
  /** Mine in it. */
  role: 'owner' | 'consulted' | 'conferenced'
  participants: { agent: string; role: 'consulted' | 'conferenced' }[]
  /** The colleague whose phone rings to be consulted, or empty. */
  consulting: string
  transfers: number
  /** The telephones of a callback. */
  dialling: '' | 'dialling' | 'reached'
  /** What became of the last try, or empty. */
  dial_failed: string
  /** The destination the call is being put through to; "number" when one was typed. */
  outside: string
  /** ringing, talking: its agent asks them first; through: the citizen is being connected with them. */
  outside_state: '' | 'ringing' | 'talking' | 'through'
  /** Whether the conversation is recorded: dropped = no more, and what there was is thrown away. */
  recording: '' | 'on' | 'paused' | 'dropped'
  /** Supervisor -> how they take part in the call, where the municipality shows it. */
  listeners: Record<string, Listening>
}

/** One stretch of a conversation with agents. */
export interface Recording {
  contact: string
  number: number
  municipality: string
  queue: string
  topic: string
  agents: string[]
  started_at: number
  seconds: number
  pauses: number
  keep_until: number
  /** Documents, heard one after the other. */
  parts: string[]
}

export type Listening = 'listen' | 'whisper' | 'barge'

export interface DeskState {
  number: number
  at: number
  agent: Me
  offers: Offer[]
  contacts: InHand[]
  follow_ups: { open: number; overdue: number }
  queues: { queue: string; waiting: number }[]
  /** Municipalities at which a channel was closed, or that announce a calamity. */
  openings: Opening[]
}

export type Author = 'citizen' | 'agent' | 'note' | 'system'
export type DeliveryStatus = 'due' | 'started' | 'delivered' | 'failed' | 'unknown'

export interface Message {
  contact: string
  number: number
  author: Author
  name: string
  text: string
  html?: string
  at: number
  message: string
  delivery: DeliveryStatus | null
  attachments?: Attachment[]
  /** Why nothing could be read out of a mail, when that is so. */
  unreadable?: string
}

// -- 4.2 what the desk asks --------------------------------------------------------------------------------------

export interface Attachment {
  name: string
  type: string
  size: number
  ref: string
}

export interface EarlierContact {
  contact: string
  channel: Channel
  topic: string
  received_at: number
  ended_at: number
  state: ContactState
  resolved: boolean | null
  further: string[]
  reason: string
  agent_name: string
}

export interface Detail {
  contact: Contact
  card: {
    name: string
    phone: string
    email: string
    subject: string
    text: string
    html: string
    details: Record<string, string>
    unreadable: string
    attachments: Attachment[]
  }
  messages: Message[]
  earlier: EarlierContact[]
  follow_ups: { follow_up: string; due_at: number; state: FollowUpState; text: string; owner: string; contact: string; reason: string }[]
  draft: string
}

export type FollowUpState = 'open' | 'overdue' | 'kept'

export interface FollowUp {
  follow_up: string
  contact: string
  due_at: number
  state: FollowUpState
  text: string
  by: string
  owner_agent: string
  owner_queue: string
  municipality: string
  made_at: number
  name: string
  phone: string
  /** cut_off: a call back is owed, and there is no text; voicemail: it is spoken. */
  reason: string
  callback: boolean
  /** When that comes; 0 = it has, or will not by itself. */
  call_at: number
  tries: number
  /** The document that holds a spoken message, or "". */
  recording: string
}

/** To whom a call is put through: a destination, or a number that was typed. */
export type Outside = { destination: string } | { number: string }

export type Owner = { agent: string } | { queue: string }

/** Event -> [what is sent, what the acknowledgement adds]. */
export interface DeskRequests {
  presence: [{ presence: Presence; reason?: string }, object]
  softphone: [object, { url: string; phone: string; password: string }]
  rejoin: [{ contact: string }, object]
  accept: [{ offer: string }, { contact: string }]
  decline: [{ offer: string; reason: string }, object]
  open: [{ contact: string }, { detail: Detail }]
  reply: [{ contact: string; message: string; text: string }, { number: number }]
  note: [{ contact: string; message: string; text: string }, { number: number }]
  typing: [{ contact: string }, object]
  finish: [{ contact: string }, object]
  extend_wrap_up: [{ contact: string }, object]
  question: [{ contact: string; topic: string }, { number: number }]
  wrap_up: [{ contact: string; resolved: boolean; topic: string; note: string; further: Record<string, boolean | null> }, object]
  hand_over: [{ contact: string; note: string } & Owner, object]
  consult: [{ contact: string; agent: string }, { offer: string }]
  dial: [{ contact: string }, { number: number }]
  plan_callback: [{ contact: string; request: string; call_from: number; call_until: number; text: string; phone: string; agent: string }, { contact: string }]
  windows: [{ contact: string }, { windows: Window[] }]
  call_now: [{ follow_up: string }, { contact: string }]
  cancel_consult: [{ contact: string }, object]
  pass_outside: [{ contact: string; consult: boolean } & Outside, object]
  cancel_outside: [{ contact: string }, object]
  pause_recording: [{ contact: string }, object]
  resume_recording: [{ contact: string }, object]
  drop_recording: [{ contact: string }, object]
  transfer: [{ contact: string }, object]
  conference: [{ contact: string }, object]
  after_work_done: [object, object]
  follow_up: [{ contact: string; text: string; due_at: number } & Owner, { follow_up: string }]
  follow_ups: [{ mine: boolean }, { follow_ups: FollowUp[] }]
  follow_up_done: [{ follow_up: string; note: string }, object]
  follow_up_assign: [{ follow_up: string } & Owner, object]
  why: [{ contact: string }, { decisions: Decision[] }]
  earlier: [{ contact: string; of: string }, { detail: Detail }]
  draft: [{ contact: string; text: string }, object]
}

export interface DeskEvents {
  state: DeskState
  message: Message
  delivery: { contact: string; number: number; status: DeliveryStatus }
  typing: { contact: string }
  ended: { reason: string }
}

// -- 3.5 what is open ------------------------------------------------------------------------------------------------

export const CLOSABLE = ['phone', 'chat', 'counter'] as const
export type Closable = (typeof CLOSABLE)[number]
export const CLOSING_REASONS = ['outage', 'staffing', 'incident', 'evacuation', 'other'] as const
export type ClosingReason = (typeof CLOSING_REASONS)[number]

export interface Opening {
  municipality: string
  open: Record<Closable, boolean>
  /** What a supervisor has closed. */
  closed: { channel: Closable; reason: ClosingReason; since: number; until: number | null; by: string }[]
  /** The announcement that is on. */
  calamity: Titles | null
  calamity_since: number | null
  calamity_by: string
}

// -- 4.3 the wallboard ---------------------------------------------------------------------------------------------

export interface QueueChannel {
  channel: Channel
  waiting: number
  longest_wait_seconds: number
  offered: number
  active: number
  wrap_up: number
  service_level: number | null
  answered: number
  entered: number
  abandoned: number
  /** 0 when the norm is in working time, or there is none. */
  target_seconds: number
  target_share: number
  target_working_hours: number
  target_working_days: number
}

export interface QueueFigures {
  queue: string
  waiting: number
  longest_wait_seconds: number
  channels: QueueChannel[]
  resolved: number | null
  resolved_of: number
  finished: number
  ready: number
  alarm: '' | 'late' | 'nobody'
  /** Why nobody is there -> for how many. */
  stranded: Partial<Record<Stranded, number>>
}

export interface ChannelFigures {
  channel: Channel
  received: number
  intake: number
  waiting: number
  offered: number
  active: number
  wrap_up: number
  ended: number
  service_level: number | null
}

export type PersonState = 'ready' | 'busy' | 'wrap_up' | 'paused' | 'signed_off'

export interface Person {
  agent: string
  name: string
  state: PersonState
  since: number
  reason: string
  contacts: Partial<Record<Channel, number>>
  /** Supervisor -> how they take part in this agent's call. */
  listeners: Record<string, Listening>
  telephone: TelephoneState
}

/** What became of calls that were transferred: shares of `of`; the wait is the mean of the helped. */
export interface TransferFigures {
  of: number
  helped: number | null
  fell_back: number | null
  left: number | null
  wait_seconds: number | null
}

export interface TransferNorms {
  helped: number
  wait_seconds: number
  fell_back: number
}

export interface TransferReport {
  days: number
  total: TransferFigures
  /** queue, colleague, warm, outside */
  kinds: Record<string, TransferFigures>
  /** Queue they were transferred from. */
  queues: Record<string, TransferFigures>
  norms: TransferNorms
}

export interface Board {
  number: number
  at: number
  queues: QueueFigures[]
  channels: ChannelFigures[]
  agents: Record<PersonState, number>
  people?: Person[]
  resolved: number | null
  resolved_of: number
  finished: number
  resolved_target: number
  follow_ups: { open: number; overdue: number }
  today_since: number
  outcomes: Measures
  outcomes_lately: Measures
  outcomes_days: number
  transfers: TransferFigures
  transfers_lately: TransferFigures
  transfer_norms: TransferNorms
  repeat_days: number
  openings: Opening[]
}

export type WaitingContact = Contact & { decision?: Decision | null }

export interface BoardRequests {
  contacts: [{ queue: string; channel?: string }, { contacts: WaitingContact[] }]
  move: [{ contact: string; queue: string; why: string }, object]
  prioritise: [{ contact: string; priority: number; why: string }, object]
  close: [{ contact: string; why: string }, object]
  set_presence: [{ agent: string; presence: Presence; reason: string }, object]
  close_channels: [{ municipality: string; channels: Closable[]; reason: ClosingReason; until: number }, { opening: Opening }]
  open_channels: [{ municipality: string; channels: Closable[] }, { opening: Opening }]
  announce_calamity: [{ municipality: string; nl: string; en: string }, { opening: Opening }]
  withdraw_calamity: [{ municipality: string }, { opening: Opening }]
  /** Take part in the agent's call by my own phone; '' = leave it. */
  listen: [{ agent: string; mode: Listening | '' }, object]
}

export interface BoardEvents {
  board: Board
  ended: { reason: string }
}

// -- 5. visitors ---------------------------------------------------------------------------------------------------

export interface VisitorInfo {
  open: boolean
  /** When it opens again, or null when that is not known. */
  opens_at?: number | null
  name: string
  /** Other ways in. */
  email?: string
  number?: string
  topics: { id: string; title: Titles }[]
  waiting: number
  agents_ready: boolean
  calamity: Titles | null
}

export interface VisitorMessage {
  number: number
  author: 'citizen' | 'agent' | 'system'
  name: string
  text: string
  at: number
  message: string
}

export interface VisitorStatus {
  state: 'waiting' | 'active' | 'ended'
  position?: number
  agent_name?: string
  /** When it has ended: whether an agent took it, and whether the visitor said that the question was answered. */
  helped?: boolean
  answered?: boolean | null
}

export interface VisitorRequests {
  info: [{ municipality: string }, VisitorInfo]
  start: [
    { municipality: string; language: string; topic: string; name: string; email: string; text: string; message: string },
    { contact: string; token: string; number: number },
  ]
  resume: [{ token: string; after: number }, { contact: string; status: VisitorStatus; messages: VisitorMessage[] }]
  message: [{ message: string; text: string }, { number: number }]
  typing: [object, object]
  end: [object, object]
  answer: [{ answered: boolean; mark?: number }, object]
}

export interface VisitorEvents {
  message: VisitorMessage
  status: VisitorStatus
  typing: object
}
