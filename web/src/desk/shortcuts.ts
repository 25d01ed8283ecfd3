// Keyboard shortcuts. Every one has Alt (WCAG 2.1.4) and they can be switched off.
import { asking, desk, openDialog, page, selected, type, current } from './store'
import { accept, decline, finish, step } from './actions'
import { begin } from './Header'
import { call, hold, mute } from './phone/line'
import { pickUp } from './phone/phone'
import { shortcutsOn } from './settings'

export type Shortcut =
  | 'accept' | 'decline' | 'next' | 'previous' | 'reply' | 'note' | 'finish' | 'handOver' | 'consult' | 'question' | 'followUp' | 'presence' | 'mute' | 'hold' | 'list'

/** The key with Alt, as KeyboardEvent.code names it. */
export const KEYS: Record<Shortcut, string> = {
  accept: 'KeyA', decline: 'KeyW', next: 'ArrowDown', previous: 'ArrowUp', reply: 'KeyR', note: 'KeyN', finish: 'KeyK',
  handOver: 'KeyO', consult: 'KeyB', question: 'KeyQ', followUp: 'KeyV', presence: 'KeyP', mute: 'KeyM', hold: 'KeyH', list: 'Slash',
}

const SIGNS: Record<string, string> = { ArrowDown: '↓', ArrowUp: '↑', Slash: '?' }
export const keyName = (shortcut: Shortcut): string => {
  const code = KEYS[shortcut]
  return `Alt+${SIGNS[code] ?? code.replace('Key', '')}`
}
/** For `aria-keyshortcuts`. */
export const ariaKeys = (shortcut: Shortcut): string => `Alt+${KEYS[shortcut].replace('Key', '').replace('Slash', '/')}`

const toBox = (mode: 'reply' | 'note'): void => {
  const contact = current.value
  if (!contact) return
  page.value = 'contacts'
  type(contact.contact, { mode })
  setTimeout(() => document.querySelector<HTMLElement>(`[data-box="${mode}"]`)?.focus())
}

function act(shortcut: Shortcut): void {
  const offer = desk.value?.offers[0]
  const active = current.value?.state === 'active' && current.value.role === 'owner'
  switch (shortcut) {
    case 'accept': return void (call.value?.state === 'rings' ? pickUp() : offer && offer.channel !== 'phone' && accept(offer.offer, offer.contact))
    case 'decline': return void (offer && !offer.declining && decline(offer.offer))
    case 'next': return step(1)
    case 'previous': return step(-1)
    case 'reply': case 'note': return toBox(shortcut)
    case 'finish': return finish()
    case 'consult':
      if (active && current.value?.channel === 'phone' && !current.value.participants.length && !current.value.consulting) openDialog.value = 'consult'
      return
    case 'question': if (current.value?.role === 'owner') asking.value = current.value.contact
      return
    case 'handOver': if (active) openDialog.value = 'hand-over'
      return
    case 'followUp': if (selected.value) openDialog.value = 'follow-up'
      return
    case 'presence':
      if (desk.value?.agent.presence === 'ready') openDialog.value = 'pause'
      else if (desk.value?.agent.presence === 'paused') void begin()
      return
    case 'mute': return mute()
    case 'hold': return hold()
    case 'list': openDialog.value = 'shortcuts'
  }
}

export function listen(): void {
  document.addEventListener('keydown', (event) => {
    if (!shortcutsOn.value || !desk.value || event.repeat || event.ctrlKey || event.metaKey) return
    const inText = event.target instanceof Element && event.target.closest('input, textarea, select, [contenteditable]')
    if (event.key === '?' && !event.altKey && !inText && !openDialog.value) {
      openDialog.value = 'shortcuts'
      return
    }
    if (!event.altKey) return
    const found = (Object.keys(KEYS) as Shortcut[]).find((one) => KEYS[one] === event.code)
    if (!found) return
    // In a dialog the keys rest, except those that answer an offer: that cannot wait.
    if (openDialog.value && found !== 'accept' && found !== 'decline') return
    event.preventDefault()
    act(found)
  })
}
