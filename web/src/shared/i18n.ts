// Two languages: a dictionary is one object per language of the same shape, so that the compiler misses nothing.
import { computed, effect, signal, type ReadonlySignal } from '@preact/signals'
import { keep, kept } from './keep'
import type { Language, Titles } from './protocol'

const wanted = (): Language => {
  const choice = kept('language') ?? document.documentElement.lang
  return choice === 'en' ? 'en' : 'nl'
}

export const language = signal<Language>(wanted())
export const locale = computed(() => (language.value === 'en' ? 'en-GB' : 'nl-NL'))

effect(() => {
  document.documentElement.lang = language.value
})

export function chooseLanguage(choice: Language): void {
  language.value = choice
  keep('language', choice)
}

/** Whether this browser has a choice of its own, which goes before the account's language. */
export const languageChosen = (): boolean => kept('language') !== null

export const dictionary = <T>(texts: Record<Language, T>): ReadonlySignal<T> => computed(() => texts[language.value])

/** A configured title in the present language, or in any. */
export function titled(titles: Titles | null | undefined, fallback = ''): string {
  if (!titles) return fallback
  return titles[language.value] ?? titles['nl'] ?? Object.values(titles)[0] ?? fallback
}
