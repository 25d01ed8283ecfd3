// What staff must know while it lasts: a channel that was closed at once, a calamity that is announced.
import { locale, titled } from './i18n'
import { Icon } from './icons'
import { municipalityName } from './names'
import type { Opening } from './protocol'
import { openingTexts } from './texts.openings'
import { moment } from './time'
import { words } from './words'

/** Those closed for the same reason until the same moment together. */
function together(opening: Opening): Opening['closed'][] {
  const groups = new Map<string, Opening['closed']>()
  for (const one of opening.closed) {
    const key = `${one.reason} ${one.until}`
    groups.set(key, [...(groups.get(key) ?? []), one])
  }
  return [...groups.values()]
}

/** `telefoon, chat en balie` */
const listed = (names: string[]): string => new Intl.ListFormat(locale.value).format(names)

export function OpeningNotices({ openings }: { openings: Opening[] }) {
  const t = openingTexts.value
  return (
    <div role="status" class="opening-notices">
      {openings.map((opening) => (
        <>
          {opening.calamity && (
            <p class="opening-notice opening-calamity" data-testid="calamity-on" data-municipality={opening.municipality}>
              <Icon name="action" /><span><strong>{t.calamity} {municipalityName(opening.municipality)}:</strong> {titled(opening.calamity, '')}</span>
            </p>
          )}
          {together(opening).map(([first, ...others]) => first && (
            <p class="opening-notice" data-testid="closed-now" data-municipality={opening.municipality}>
              <Icon name="attention" />
              <span>
                <strong>{municipalityName(opening.municipality)}:</strong>{' '}
                {t.closed(listed([first, ...others].map((one) => words.value.channels[one.channel].toLowerCase())), t.reasons[first.reason])},{' '}
                {first.until ? t.until(moment(first.until)) : t.untilOpened}
              </span>
            </p>
          ))}
        </>
      ))}
    </div>
  )
}
