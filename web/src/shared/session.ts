// Who is signed in in this browser.
import { signal } from '@preact/signals'
import { signOut as leave, whoAmI } from './api'
import { language, languageChosen } from './i18n'
import type { Session } from './protocol'

/** Undefined: not known yet. */
export const session = signal<Session | null | undefined>(undefined)

/** The last session ended by itself: said at the sign-in. */
export const expired = signal(false)

export function sessionOver(reason: string): void {
  expired.value = reason !== 'signed_out'
  session.value = null
}

export function welcome(who: Session): void {
  if (!languageChosen() && (who.language === 'nl' || who.language === 'en')) language.value = who.language
  expired.value = false
  session.value = who
}

export async function recall(): Promise<void> {
  const who = await whoAmI()
  if (who) welcome(who)
  else session.value = null
}

export async function signOut(): Promise<void> {
  await leave().catch(() => undefined)
  sessionOver('signed_out')
}
