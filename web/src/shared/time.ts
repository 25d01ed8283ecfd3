// Moments and durations for people. The server's clock counts: `adjustClock` keeps the difference with ours.
import { signal } from '@preact/signals'
import { language, locale } from './i18n'

let ahead_ms = 0

/** The present at the server, in ms; renewed every second. */
export const now = signal(Date.now())

const tick = (): void => {
  now.value = Date.now() + ahead_ms
}
setInterval(tick, 1000)

/** `at` is the server's present as it has just told. */
export function adjustClock(at: number): void {
  const difference = at - Date.now()
  // A few hundred milliseconds are the way here, not the clock.
  ahead_ms = Math.abs(difference) < 750 ? 0 : difference
  tick()
}

export const present = (): number => Date.now() + ahead_ms

const two = (n: number): string => `${n}`.padStart(2, '0')

/** Seconds as `m:ss` or `h:mm:ss`; never negative. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const hours = Math.floor(whole / 3600)
  const minutes = Math.floor((whole % 3600) / 60)
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}

/** Seconds as a few words: `12 sec`, `4 min`, `3 uur`, `2 dagen`. */
export function lasting(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds))
  const nl = language.value === 'nl'
  if (s < 60) return `${s} ${nl ? 'sec' : 'sec'}`
  if (s < 5400) return `${Math.round(s / 60)} min`
  if (s < 129600) return `${Math.round(s / 3600)} ${nl ? 'uur' : 'h'}`
  const days = Math.round(s / 86400)
  return nl ? `${days} ${days === 1 ? 'dag' : 'dagen'}` : `${days} ${days === 1 ? 'day' : 'days'}`
}

/** A duration of live contacts counts in seconds, one of written work in words. */
export const wait = (seconds: number): string => (seconds < 3600 ? clock(seconds) : lasting(seconds))

const format = (options: Intl.DateTimeFormatOptions, at: number): string =>
  new Intl.DateTimeFormat(locale.value, options).format(at)

export const timeOfDay = (at: number): string => format({ hour: '2-digit', minute: '2-digit' }, at)
export const timeWithSeconds = (at: number): string =>
  format({ hour: '2-digit', minute: '2-digit', second: '2-digit' }, at)

/** `14:05`, or with the day when it was not today: `za 21 nov 14:05`. */
export function moment(at: number): string {
  if (new Date(at).toDateString() === new Date(present()).toDateString()) return timeOfDay(at)
  return format({ weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' }, at)
}

export const day = (at: number): string => format({ weekday: 'short', day: 'numeric', month: 'short' }, at)

export const iso = (at: number): string => new Date(at).toISOString()
