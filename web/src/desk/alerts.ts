// An offer must not be missed: sound, title, icon and a desktop notification. Only the leading tab makes noise.
import { computed, effect, signal } from '@preact/signals'
import { queueName } from '../shared/names'
import type { Offer } from '../shared/protocol'
import { words } from '../shared/words'
import { soundHiddenOnly, volume } from './settings'
import { desk, unread } from './store'
import { texts } from './texts'

const REPEAT_MS = 6000

// -- one tab leads -----------------------------------------------------------------------------------------------

export const leads = signal(true)

/** The first tab leads; when it closes, the next takes over. */
export function lead(): void {
  if (!('locks' in navigator)) return
  leads.value = false
  void navigator.locks.request('kcc-desk', () => {
    leads.value = true
    return new Promise<never>(() => undefined)
  })
}

// -- sound ---------------------------------------------------------------------------------------------------------

let audio: AudioContext | null = null

/** Browsers give sound only after a click: “Start dienst” is that click. */
export async function unlock(): Promise<void> {
  audio ??= new AudioContext()
  await audio.resume().catch(() => undefined)
}

/** Two soft tones, the second higher. */
export function beep(): void {
  if (!audio || volume.value === 0) return
  const start = audio.currentTime + 0.02
  for (const [tone, after] of [[587, 0], [784, 0.18]] as const) {
    const oscillator = audio.createOscillator()
    const gain = audio.createGain()
    oscillator.type = 'sine'
    oscillator.frequency.value = tone
    gain.gain.setValueAtTime(0, start + after)
    gain.gain.linearRampToValueAtTime((volume.value / 100) * 0.5, start + after + 0.02)
    gain.gain.exponentialRampToValueAtTime(0.001, start + after + 0.35)
    oscillator.connect(gain).connect(audio.destination)
    oscillator.start(start + after)
    oscillator.stop(start + after + 0.4)
  }
}

export async function askForNotifications(): Promise<void> {
  if ('Notification' in window && Notification.permission === 'default') {
    await Notification.requestPermission().catch(() => undefined)
  }
}

// -- what is announced -------------------------------------------------------------------------------------------

const offers = computed(() => desk.value?.offers ?? [])
const said = new Set<string>()
const shown = new Map<string, Notification>()

function announce(offer: Offer): void {
  if (!leads.value || !document.hidden || !('Notification' in window) || Notification.permission !== 'granted') return
  // Never a name: a notification may stand on a locked screen.
  const body = `${words.value.channels[offer.channel]} · ${queueName(offer.queue)}`
  const notification = new Notification(texts.value.offerNew, { body, tag: offer.offer })
  notification.onclick = () => {
    window.focus()
    notification.close()
  }
  shown.set(offer.offer, notification)
}

const sound = (): void => {
  if (leads.value && (!soundHiddenOnly.value || document.hidden)) beep()
}

export function watchOffers(): void {
  let repeat = 0
  effect(() => {
    const open = offers.value
    const fresh = open.filter((offer) => !said.has(offer.offer))
    fresh.forEach((offer) => {
      said.add(offer.offer)
      announce(offer)
    })
    for (const [id, notification] of shown) {
      if (!open.some((offer) => offer.offer === id)) {
        notification.close()
        shown.delete(id)
      }
    }
    if (fresh.length) sound()
    clearInterval(repeat)
    if (open.length) repeat = window.setInterval(sound, REPEAT_MS)
  })
  effect(() => {
    const offer = offers.value[0]
    const news = Object.values(unread.value).reduce((sum, n) => sum + n, 0)
    const page = `${texts.value.title} · ${words.value.product}`
    document.title = offer ? `● ${texts.value.offerTitle(words.value.channels[offer.channel])}` : news ? `(${news}) ${page}` : page
    const icon = document.querySelector<HTMLLinkElement>('link[rel=icon]')
    const wanted = `/static/${offer ? 'icon-alert' : 'icon'}.svg`
    if (icon && icon.getAttribute('href') !== wanted) icon.setAttribute('href', wanted)
    const badge = navigator as { setAppBadge?: (n: number) => Promise<void>; clearAppBadge?: () => Promise<void> }
    const count = offers.value.length + news
    void (count ? badge.setAppBadge?.(count) : badge.clearAppBadge?.())?.catch(() => undefined)
  })
}
