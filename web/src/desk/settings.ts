// How this agent likes the desk, on this computer.
import { effect, signal, type Signal } from '@preact/signals'
import { keep, kept } from '../shared/keep'

function setting<T extends string | number | boolean>(key: string, otherwise: T): Signal<T> {
  const before = kept(`desk.${key}`)
  const parsed: unknown = before === null ? otherwise : JSON.parse(before)
  const value = signal<T>(typeof parsed === typeof otherwise ? (parsed as T) : otherwise)
  effect(() => keep(`desk.${key}`, JSON.stringify(value.value)))
  return value
}

/** 0 to 100; 0 is silent. */
export const volume = setting<number>('volume', 60)
export const soundHiddenOnly = setting<boolean>('sound-hidden-only', false)
export const enterSends = setting<boolean>('enter-sends', true)
export const shortcutsOn = setting<boolean>('shortcuts', true)
/** Device ids of this browser; empty = the usual one. */
export const microphone = setting<string>('microphone', '')
export const speaker = setting<string>('speaker', '')
export const autoAnswer = setting<boolean>('auto-answer', false)
export const cleanSound = setting<boolean>('clean-sound', true)
export const formattedMail = setting<boolean>('formatted-mail', true)
