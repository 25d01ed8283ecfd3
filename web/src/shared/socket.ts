// One Socket.IO connection: typed requests with an acknowledgement in time, and signals that tell how it is.
import { signal, type ReadonlySignal } from '@preact/signals'
import { io, type Socket } from 'socket.io-client'
import type { Acknowledgement } from './protocol'
import { Refusal, noAnswer } from './refusal'

export type Requests<R> = { [E in keyof R]: [unknown, unknown] }
export type Link = 'connecting' | 'up' | 'down' | 'refused' | 'over'

export interface Connection<R extends Requests<R>, V> {
  readonly link: ReadonlySignal<Link>
  /** The code with which the server refused or ended the connection. */
  readonly reason: ReadonlySignal<string>
  /** Sends and waits; throws a Refusal, with code `no_answer` when the server stays silent. */
  ask<E extends keyof R & string>(event: E, body: R[E][0], seconds?: number): Promise<R[E][1]>
  /** Sends if there is a connection, and does not mind. */
  tell<E extends keyof R & string>(event: E, body: R[E][0]): void
  on<E extends keyof V & string>(event: E, listener: (body: V[E]) => void): void
  /** Every time the connection stands (again). */
  onUp(listener: () => void): void
  close(): void
}

const ANSWER_SECONDS = 10

export function connect<R extends Requests<R>, V>(
  namespace: string,
  options: { server?: string; auth?: Record<string, string> } = {},
): Connection<R, V> {
  const link = signal<Link>('connecting')
  const reason = signal('')
  const socket: Socket = io(`${options.server ?? ''}${namespace}`, {
    transports: ['websocket'],
    path: '/socket.io/',
    reconnectionDelay: 500,
    reconnectionDelayMax: 5000,
    timeout: 5000,
    ...(options.auth ? { auth: options.auth } : {}),
  })
  const upListeners: (() => void)[] = []
  socket.on('connect', () => {
    link.value = 'up'
    upListeners.forEach((listener) => listener())
  })
  socket.on('disconnect', (why) => {
    if (link.value === 'over') return
    link.value = 'down'
    // The server closed this namespace on purpose: socket.io does not come back by itself then.
    if (why === 'io server disconnect') setTimeout(() => link.value === 'down' && socket.connect(), 1000)
  })
  socket.on('connect_error', (error: Error & { data?: { code?: string } }) => {
    // Still active: the network failed, and socket.io tries again by itself.
    if (socket.active) {
      link.value = 'down'
      return
    }
    const code = error.data?.code
    if (!code || code === 'unavailable' || code === 'too_many') {
      link.value = 'down'
      setTimeout(() => link.value === 'down' && socket.connect(), 5000)
      return
    }
    reason.value = code
    link.value = 'refused'
  })
  socket.on('ended', (body: { reason: string }) => {
    reason.value = body.reason
    link.value = 'over'
    socket.disconnect()
  })

  return {
    link,
    reason,
    async ask(event, body, seconds = ANSWER_SECONDS) {
      if (!socket.connected) throw noAnswer()
      let answer: Acknowledgement<object>
      try {
        answer = (await socket.timeout(seconds * 1000).emitWithAck(event, body)) as Acknowledgement<object>
      } catch {
        throw noAnswer()
      }
      if (!answer.ok) throw new Refusal(answer.error)
      return answer as never
    },
    tell(event, body) {
      if (socket.connected) socket.emit(event, body)
    },
    on(event, listener) {
      socket.on(event, listener as never)
    },
    onUp(listener) {
      upListeners.push(listener)
      if (socket.connected) listener()
    },
    close() {
      link.value = 'over'
      socket.disconnect()
    },
  }
}

/** 128 random bits: the server asks that much of an id that starts a chat. */
export const newId = (kind: string): string =>
  `${kind}-${Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')}`
