// What the desk says, in the present language.
import { dictionary } from '../shared/i18n'
import { lasting } from '../shared/time'
import { en } from './texts.en'
import { nl, type Texts } from './texts.nl'

export const texts = dictionary<Texts>({ nl, en })

/** How long ago a moment was, in words. */
export const ago = (at: number, now: number): string => lasting((now - at) / 1000)
