// Why agents were not asked, in words: for "Waarom ik?" at the desk and "waarom wacht dit?" at the wallboard.
import { dictionary } from './i18n'

interface Reasons {
  excluded: Record<string, string>
  missingSkill: (skill: string) => string
}

const reasons = dictionary<Reasons>({
  nl: {
    excluded: {
      signed_off: 'afgemeld', paused: 'op pauze', lost: 'zonder verbinding', busy: 'bezig', no_phone: 'zonder telefoon',
      asked_before: 'kort geleden al gevraagd', wanted_other: 'even bewaard voor een collega', census: 'nog niet: het kanaal wordt nagelopen',
      quiet: 'vrij, maar vrijgehouden voor bellers', reserved: 'vrij, maar er wordt even gewacht op een betere', after_work: 'met nawerk van een doorverbonden gesprek',
    },
    missingSkill: (skill) => `zonder vaardigheid ${skill}`,
  },
  en: {
    excluded: {
      signed_off: 'signed off', paused: 'paused', lost: 'without a connection', busy: 'busy', no_phone: 'without a phone',
      asked_before: 'asked a moment ago', wanted_other: 'kept for a colleague for a moment', census: 'not yet: the channel is being checked',
      quiet: 'free, but kept free for callers', reserved: 'free, but a better one is waited for', after_work: 'with work left from a transferred call',
    },
    missingSkill: (skill) => `without skill ${skill}`,
  },
})

/** `{"paused": 2, "missing_skill:wmo": 3}` as `2 op pauze`, `3 zonder vaardigheid wmo`. */
export function excludedInWords(excluded: Record<string, number>): string[] {
  const { excluded: names, missingSkill } = reasons.value
  return Object.entries(excluded).map(([reason, n]) => {
    const [kind = '', skill = ''] = reason.split(':')
    return `${n} ${kind === 'missing_skill' ? missingSkill(skill) : (names[kind] ?? kind)}`
  })
}
