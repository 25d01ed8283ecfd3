// The line of the telephone in the desk: registered at the PBX over a web socket, one call at a time.
// A page that closes or reloads says nothing to the PBX: a call goes on there, and the next page takes it up.
import { signal } from '@preact/signals'
import type { RTCSession } from 'jssip/lib/RTCSession'
import type { IncomingRTCSessionEvent, OutgoingRTCSessionEvent, UA } from 'jssip/lib/UA'
import { closeMicrophone, openMicrophone, toSpeaker } from './microphone'

export type Line = 'off' | 'connecting' | 'registered' | 'unconnected' | 'refused'
export interface Access {
  url: string
  phone: string
  password: string
}
export interface PhoneCall {
  state: 'rings' | 'answering' | 'talking'
  muted: boolean
  held: boolean
  /** Keys sent in this call. */
  keyed: string
}

export const line = signal<Line>('off')
export const call = signal<PhoneCall | null>(null)

const BUSY = 486
const UNAVAILABLE = 480

let agent: UA | null = null
let session: RTCSession | null = null
let stream: MediaStream | null = null
let wanted = false

const change = (news: Partial<PhoneCall>): void => {
  if (call.value) call.value = { ...call.value, ...news }
}

/** Registers; JsSIP is read only now. */
export async function startLine({ url, phone, password }: Access): Promise<void> {
  wanted = true
  line.value = 'connecting'
  const { UA: Made, WebSocketInterface } = await import('jssip')
  if (!wanted || agent) return
  const made = new Made({
    sockets: [new WebSocketInterface(url)],
    uri: `sip:${phone}@${new URL(url).hostname}`,
    password,
    register: true,
    register_expires: 120,
    session_timers: false,
    connection_recovery_min_interval: 1,
    connection_recovery_max_interval: 4,
  })
  agent = made
  made.on('registered', () => (line.value = 'registered'))
  made.on('disconnected', () => (line.value = 'unconnected'))
  made.on('unregistered', () => (line.value = 'unconnected'))
  made.on('registrationFailed', ({ cause }) => {
    line.value = cause === 'Connection Error' || cause === 'Request Timeout' ? 'unconnected' : 'refused'
  })
  made.on('newRTCSession', (event: IncomingRTCSessionEvent | OutgoingRTCSessionEvent) => {
    const found = event.session
    if (event.originator !== 'remote' || session) found.terminate({ status_code: BUSY })
    else take(found)
  })
  made.start()
}

/** Unregisters; a call that goes on is ended by its own end. */
export function stopLine(): void {
  wanted = false
  if (session) return
  agent?.stop()
  agent = null
  line.value = 'off'
}

function take(found: RTCSession): void {
  session = found
  call.value = { state: 'rings', muted: false, held: false, keyed: '' }
  found.on('peerconnection', ({ peerconnection }) => {
    peerconnection.addEventListener('track', (event) => play(event.streams[0] ?? new MediaStream([event.track])))
  })
  found.on('confirmed', () => change({ state: 'talking' }))
  found.on('muted', () => change({ muted: true }))
  found.on('unmuted', () => change({ muted: false }))
  found.on('hold', () => change({ held: found.isOnHold().local }))
  found.on('unhold', () => change({ held: found.isOnHold().local }))
  const over = (): void => {
    if (session !== found) return
    session = null
    closeMicrophone(stream)
    stream = null
    audio?.remove()
    audio = null
    call.value = null
    if (!wanted) stopLine()
  }
  found.on('ended', over)
  found.on('failed', over)
}

let audio: HTMLAudioElement | null = null

function play(sound: MediaStream): void {
  audio?.remove()
  audio = document.createElement('audio')
  audio.autoplay = true
  audio.dataset['testid'] = 'phone-sound'
  audio.srcObject = sound
  toSpeaker(audio)
  document.body.append(audio)
}

/** Picks up. False when the microphone cannot be had: then `refuse` it. */
export async function answer(): Promise<boolean> {
  const found = session
  if (!found || call.value?.state !== 'rings') return true
  change({ state: 'answering' })
  const opened = await openMicrophone()
  if (session !== found) {
    closeMicrophone(opened)
    return true
  }
  if (!opened) return false
  stream = opened
  found.answer({ mediaStream: opened, pcConfig: {} })
  return true
}

/** The telephone cannot take this call. */
export const refuse = (): void => session?.terminate({ status_code: UNAVAILABLE })

export function hangUp(): void {
  session?.terminate(call.value?.state === 'talking' ? {} : { status_code: BUSY })
}

export function mute(): void {
  if (session?.isMuted().audio) session.unmute({ audio: true })
  else session?.mute({ audio: true })
}

/** Music for the citizen, and back. The state follows when the PBX has agreed. */
export function hold(): void {
  if (session?.isOnHold().local) session.unhold()
  else session?.hold()
}

export const KEYPAD = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'] as const

export function sendKey(key: string): void {
  if (!session || call.value?.state !== 'talking' || !KEYPAD.includes(key as (typeof KEYPAD)[number])) return
  session.sendDTMF(key, { transportType: 'RFC2833' as never })
  change({ keyed: call.value.keyed + key })
}
