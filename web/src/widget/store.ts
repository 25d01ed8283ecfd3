// One visitor's conversation: in order, each message once, and nothing lost between sending and the acknowledgement.
import { batch, signal } from '@preact/signals'
import type { VisitorEvents, VisitorInfo, VisitorMessage, VisitorRequests, VisitorStatus } from '../shared/protocol'
import { Refusal } from '../shared/refusal'
import { connect, newId } from '../shared/socket'
import type { Place } from './launcher'

export type Phase = 'loading' | 'intro' | 'chat' | 'ended'

export interface Pending {
  message: string
  text: string
  failed: boolean
  code: string
}

interface Stored {
  token: string
  /** Not acknowledged yet: sent again, with the same id, also after a reload. */
  pending: { message: string; text: string }[]
}

export interface Start {
  topic: string
  name: string
  email: string
  text: string
}

const TYPING_SHOWN_MS = 5000
const TYPING_EVERY_MS = 3000

export function conversation({ server, municipality, language, news }: Place) {
  const phase = signal<Phase>('loading')
  const info = signal<VisitorInfo | null>(null)
  const messages = signal<VisitorMessage[]>([])
  const pending = signal<Pending[]>([])
  const status = signal<VisitorStatus>({ state: 'waiting' })
  const typing = signal(false)
  /** What became of the conversation before this one. */
  const before = signal<'' | 'over' | 'erased'>('')
  const unread = signal(0)
  const isShown = signal(false)
  const key = `kcc-chat.${municipality}`
  const link = connect<VisitorRequests, VisitorEvents>('/chat', { server })
  let token = ''
  let last = 0
  /** What comes in after a conversation was erased here is not shown any more. */
  let live = false
  let startId = ''
  let typingTimer = 0
  let typingTold = 0

  // -- what outlives a reload: in this tab only --

  const stored = (): Stored | null => {
    try {
      return JSON.parse(sessionStorage.getItem(key) ?? 'null') as Stored | null
    } catch {
      return null
    }
  }
  const store = (): void => {
    try {
      if (!token) sessionStorage.removeItem(key)
      else sessionStorage.setItem(key, JSON.stringify({ token, pending: pending.value.map(({ message, text }) => ({ message, text })) } satisfies Stored))
    } catch {
      // No storage: the conversation lasts as long as the page.
    }
  }
  const forget = (): void => {
    token = ''
    last = 0
    startId = ''
    live = false
    batch(() => {
      messages.value = []
      pending.value = []
      status.value = { state: 'waiting' }
      typing.value = false
    })
    store()
  }

  // -- coming in --

  const take = (message: VisitorMessage): void => {
    batch(() => {
      pending.value = pending.value.filter((one) => one.message !== message.message)
      if (messages.value.some((one) => one.number === message.number)) return
      messages.value = [...messages.value, message].sort((a, b) => a.number - b.number)
      last = Math.max(last, message.number)
      if (message.author !== 'agent') return
      typing.value = false
      if (!isShown.value) unread.value += 1
    })
    store()
  }
  const takeStatus = (next: VisitorStatus): void => {
    batch(() => {
      status.value = next
      phase.value = next.state === 'ended' ? 'ended' : 'chat'
      if (next.state !== 'active') typing.value = false
    })
  }
  const resume = async (): Promise<void> => {
    const answer = await link.ask('resume', { token, after: last })
    answer.messages.forEach(take)
    takeStatus(answer.status)
  }
  const readInfo = async (): Promise<void> => {
    info.value = await link.ask('info', { municipality })
    if (phase.value === 'loading') phase.value = 'intro'
  }

  link.onUp(() => {
    const saved = stored()
    if (!token && saved) {
      token = saved.token
      pending.value = saved.pending.map((one) => ({ ...one, failed: false, code: '' }))
    }
    readInfo().catch(() => undefined)
    if (!token) return
    live = true
    resume().then(
      () => status.value.state !== 'ended' && pending.value.forEach((one) => void deliver(one)),
      (error: unknown) => {
        if (error instanceof Refusal && error.code === 'no_answer') return
        // The server does not know it any more: it ended long ago.
        forget()
        before.value = 'over'
        phase.value = 'intro'
      },
    )
  })
  link.on('message', (message) => {
    if (!live) return
    // A gap: ask for what lies between, in order.
    if (message.number > last + 1 && token) resume().catch(() => take(message))
    else take(message)
  })
  link.on('status', (next) => live && takeStatus(next))
  link.on('typing', () => {
    typing.value = true
    clearTimeout(typingTimer)
    typingTimer = window.setTimeout(() => (typing.value = false), TYPING_SHOWN_MS)
  })
  unread.subscribe(news)

  // -- going out --

  const deliver = async (one: Pending): Promise<void> => {
    const mark = (failed: boolean, code = ''): void => {
      pending.value = pending.value.map((other) => (other.message === one.message ? { ...other, failed, code } : other))
    }
    mark(false)
    try {
      const { number } = await link.ask('message', { message: one.message, text: one.text })
      take({ number, author: 'citizen', name: '', text: one.text, at: Date.now(), message: one.message })
    } catch (error) {
      mark(true, error instanceof Refusal ? error.code : '')
    }
  }

  return {
    unread, phase, info, messages, pending, status, typing, before, isShown, link: link.link, deliver,
    shown(is: boolean): void {
      isShown.value = is
      if (!is) return
      unread.value = 0
      if (phase.value === 'intro') void this.look()
    },
    /** Asks again whether it is open, and how busy it is. */
    look: (): Promise<void> => readInfo().catch(() => undefined),
    /** Throws a Refusal; called again after one it is the same conversation, never a second. */
    async start(form: Start): Promise<void> {
      startId ||= newId('m')
      live = true
      const answer = await link.ask('start', { municipality, language, ...form, message: startId })
      token = answer.token
      before.value = ''
      phase.value = 'chat'
      take({ number: answer.number, author: 'citizen', name: form.name, text: form.text, at: Date.now(), message: startId })
    },
    send(text: string): void {
      const one: Pending = { message: newId('m'), text, failed: false, code: '' }
      pending.value = [...pending.value, one]
      store()
      void deliver(one)
    },
    tellTyping(): void {
      if (Date.now() - typingTold < TYPING_EVERY_MS) return
      typingTold = Date.now()
      link.tell('typing', {})
    },
    /** Whether the question was answered, and later perhaps a mark. Throws a Refusal. */
    async answer(answered: boolean, mark = 0): Promise<void> {
      await link.ask('answer', { answered, mark })
      status.value = { ...status.value, answered }
    },
    async end(erase: boolean): Promise<void> {
      const helped = status.value.state === 'active'
      await link.ask('end', {})
      takeStatus({ state: 'ended', helped, answered: null })
      if (erase) this.erase(true)
    },
    /** Nothing of the conversation stays on this device. */
    erase(tell: boolean): void {
      forget()
      before.value = tell ? 'erased' : ''
      phase.value = info.value ? 'intro' : 'loading'
      readInfo().catch(() => undefined)
    },
  }
}

export type Conversation = ReturnType<typeof conversation>
