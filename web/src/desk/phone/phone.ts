// What the desk does with its telephone: begin it, answer, take a call up after a reload, and pause when it does not work.
import { computed, effect, signal, untracked } from '@preact/signals'
import { ask, attempt, setPresence } from '../actions'
import { leads } from '../alerts'
import { autoAnswer } from '../settings'
import { desk } from '../store'
import { answer, call, hangUp, line, refuse, startLine, stopLine } from './line'
import { closeMicrophone, microphoneTrouble, openMicrophone, watchMicrophone, type MicrophoneTrouble } from './microphone'

export type Trouble = MicrophoneTrouble | 'line_unconnected' | 'line_refused'

/** The agent's telephone is in this tab. In another tab of this browser it is there. */
export const here = computed(() => leads.value && !!desk.value?.agent.softphone)

export const trouble = computed<Trouble>(() => {
  if (!here.value) return ''
  if (line.value === 'refused') return 'line_refused'
  if (line.value === 'unconnected') return 'line_unconnected'
  return microphoneTrouble.value
})

export const PHONE_UNREACHABLE = 'phone_unreachable'
const SETTLES_MS = 4000
const REGISTERS_MS = 6000
const AGAIN_MS = 5000

const ready = computed(() => desk.value?.agent.presence === 'ready')
/** A call this page was told to take up again, because it was loaded anew. */
const rejoining = signal(false)

/** While the desk is open. Gives how to stop. */
export function watchPhone(): () => void {
  let begun: (() => void) | undefined
  const stops = [
    effect(() => {
      if (here.value) begun ??= untracked(begin)
    }),
    effect(() => {
      if (call.value?.state === 'rings' && (autoAnswer.value || rejoining.value)) void untracked(pickUp)
    }),
    effect(() => {
      if (!trouble.value || !ready.value) return
      const timer = setTimeout(() => void setPresence('paused', PHONE_UNREACHABLE), SETTLES_MS)
      return () => clearTimeout(timer)
    }),
    takeUp(),
    letGo(),
  ]
  return () => {
    stops.forEach((stop) => stop())
    begun?.()
  }
}

function begin(): () => void {
  let again = 0
  const connect = (): void => {
    ask('softphone', {}).then(startLine).catch(() => {
      line.value = 'unconnected'
      again = window.setTimeout(connect, AGAIN_MS)
    })
  }
  connect()
  const unwatch = watchMicrophone()
  return () => {
    clearTimeout(again)
    unwatch()
    stopLine()
  }
}

/** The first time that the line stands: a call that the router says is ours, and is not here, was another page's. */
function takeUp(): () => void {
  let looked = false
  return effect(() => {
    if (looked || line.value !== 'registered' || !desk.value) return
    looked = true
    const lost = desk.value.contacts.find((one) => one.channel === 'phone' && one.state === 'active' && one.role !== 'consulted')
    if (!lost || call.peek()) return
    rejoining.value = true
    void attempt(() => ask('rejoin', { contact: lost.contact })).then((asked) => {
      if (!asked) rejoining.value = false
    })
  })
}

/** A call that the router says is over, though nothing was heard on the line: its end was lost with the connection. */
function letGo(): () => void {
  let known = false
  return effect(() => {
    const talks = call.value?.state === 'talking'
    const ours = !!desk.value?.contacts.some((one) => one.channel === 'phone' && one.state === 'active')
    known = talks && (known || ours)
    if (!known || ours) return
    const timer = setTimeout(hangUp, SETTLES_MS)
    return () => clearTimeout(timer)
  })
}

export async function pickUp(): Promise<void> {
  const answered = await answer()
  rejoining.value = false
  if (answered) return
  if (ready.value) await setPresence('paused', PHONE_UNREACHABLE)
  refuse()
}

/** Whether the telephone works, where there is one; asks for the microphone, so call it from a click. */
export async function phoneWorks(): Promise<boolean> {
  if (!here.value) return true
  closeMicrophone(await openMicrophone())
  if (line.value !== 'registered') await registered()
  return trouble.value === '' && line.value === 'registered'
}

const registered = (): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(() => done(), REGISTERS_MS)
    const stop = line.subscribe((state) => state === 'registered' && setTimeout(() => done()))
    const done = (): void => {
      clearTimeout(timer)
      stop()
      resolve()
    }
  })
