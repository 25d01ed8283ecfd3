// Words that more than one page says.
import { dictionary } from './i18n'
import type { Channel, ContactState, PersonState, RefusalCode } from './protocol'

interface Words {
  product: string
  channels: Record<Channel, string>
  contactStates: Record<ContactState, string>
  personStates: Record<PersonState, string>
  ownReasons: Record<string, string>
  typedNumber: string
  endedReasons: Record<string, string>
  refusals: Record<RefusalCode, string>
  language: string
  languages: Record<string, string>
  theme: string
  themes: { auto: string; light: string; dark: string }
  user: string
  password: string
  signIn: string
  signInTitle: string
  signingIn: string
  wrongPassword: string
  tooManyTries: string
  noServer: string
  cancel: string
  close: string
  save: string
  yes: string
  no: string
  unknown: string
  skip: string
  notAllowedHere: string
  expired: string
  wentWrong: string
  loading: string
}

export const words = dictionary<Words>({
  nl: {
    product: 'KCC-router',
    channels: { phone: 'Telefoon', email: 'E-mail', chat: 'Chat', post: 'Post', counter: 'Balie', callback: 'Terugbellen' },
    contactStates: {
      intake: 'komt binnen', waiting: 'wacht', offered: 'aangeboden', active: 'in gesprek', wrap_up: 'nawerk', ended: 'afgerond',
    },
    personStates: { ready: 'Beschikbaar', busy: 'In gesprek', wrap_up: 'Nawerk', paused: 'Pauze', signed_off: 'Afgemeld' },
    typedNumber: 'een ander nummer',
    ownReasons: { not_responding: 'Niet gereageerd', connection_lost: 'Verbinding verbroken', phone_unreachable: 'Telefoon onbereikbaar', end_of_shift: 'Einde dienst' },
    endedReasons: {
      handled: 'afgehandeld', abandoned: 'opgehangen in de wacht', citizen_left: 'inwoner is weggegaan', gone: 'verdwenen',
      closed_hours: 'buiten openingstijd', full: 'wachtrij vol', flood: 'te veel oproepen', calamity: 'calamiteit', technical: 'storing', duplicate: 'dubbel', robot: 'automaat',
      closed: 'gesloten door leidinggevende', agent: 'door medewerker',
    },
    refusals: {
      invalid: 'De invoer klopt niet of is te lang.',
      not_signed_in: 'U bent niet (meer) aangemeld.',
      not_allowed: 'Dit mag u niet.',
      unknown: 'Dit bestaat niet (meer).',
      wrong_state: 'Dit kan nu niet (meer): er is intussen iets veranderd.',
      stale_offer: 'Dit aanbod is voorbij.',
      key_reused: 'Deze sleutel is al gebruikt.',
      erased: 'Deze gegevens zijn gewist. Niemand kan ze nog lezen.',
      too_large: 'Dit is te groot.',
      unsupported: 'Deze soort inhoud kan niet.',
      too_many: 'Te vaak achter elkaar. Wacht even.',
      unavailable: 'Het is niet vastgelegd. Probeer het zo opnieuw.',
      refused: 'Dit kan nu niet.',
      closed: 'Dit kanaal is nu gesloten.',
      full: 'Er wachten te veel mensen: er kan nu niemand bij.',
      fault: 'Er ging iets mis op de server.',
      no_answer: 'Er kwam geen antwoord van de server. Probeer het opnieuw.',
    },
    language: 'Taal',
    languages: { nl: 'Nederlands', en: 'Engels' },
    theme: 'Weergave',
    themes: { auto: 'Zoals het apparaat', light: 'Licht', dark: 'Donker' },
    user: 'Gebruikersnaam',
    password: 'Wachtwoord',
    signIn: 'Aanmelden',
    signInTitle: 'Aanmelden',
    signingIn: 'Bezig met aanmelden …',
    wrongPassword: 'Gebruikersnaam of wachtwoord klopt niet.',
    tooManyTries: 'Te vaak geprobeerd. Wacht een minuut en probeer het opnieuw.',
    noServer: 'De server antwoordt niet. Probeer het zo opnieuw.',
    cancel: 'Annuleren',
    close: 'Sluiten',
    save: 'Opslaan',
    yes: 'Ja',
    no: 'Nee',
    unknown: 'onbekend',
    skip: 'Naar de inhoud',
    expired: 'Uw sessie is verlopen. Meld u opnieuw aan: uw contacten en concepten staan er nog.',
    notAllowedHere: 'Met dit account kunt u deze pagina niet gebruiken.',
    wentWrong: 'Er ging iets mis.',
    loading: 'Laden …',
  },
  en: {
    product: 'KCC router',
    channels: { phone: 'Phone', email: 'E-mail', chat: 'Chat', post: 'Post', counter: 'Counter', callback: 'Callback' },
    contactStates: {
      intake: 'coming in', waiting: 'waiting', offered: 'offered', active: 'in conversation', wrap_up: 'wrap-up', ended: 'ended',
    },
    personStates: { ready: 'Ready', busy: 'Busy', wrap_up: 'Wrap-up', paused: 'Paused', signed_off: 'Signed off' },
    typedNumber: 'another number',
    ownReasons: { not_responding: 'Did not respond', connection_lost: 'Connection lost', phone_unreachable: 'Telephone unreachable', end_of_shift: 'End of shift' },
    endedReasons: {
      handled: 'handled', abandoned: 'hung up while waiting', citizen_left: 'citizen left', gone: 'gone',
      closed_hours: 'outside opening hours', full: 'queue full', flood: 'too many calls', calamity: 'calamity', technical: 'technical fault', duplicate: 'duplicate', robot: 'robot',
      closed: 'closed by a supervisor', agent: 'by the agent',
    },
    refusals: {
      invalid: 'The input is not right or too long.',
      not_signed_in: 'You are not signed in (any more).',
      not_allowed: 'You may not do this.',
      unknown: 'This does not exist (any more).',
      wrong_state: 'This is not possible now: something has changed.',
      stale_offer: 'This offer is over.',
      key_reused: 'This key has been used already.',
      erased: 'This has been erased. Nobody can read it any more.',
      too_large: 'This is too large.',
      unsupported: 'This kind of content is not taken.',
      too_many: 'Too often in a row. Wait a moment.',
      unavailable: 'It was not recorded. Try again in a moment.',
      refused: 'This is not possible now.',
      closed: 'This channel is closed now.',
      full: 'Too many people are waiting: nobody can be added now.',
      fault: 'Something broke at the server.',
      no_answer: 'The server did not answer. Try again.',
    },
    language: 'Language',
    languages: { nl: 'Dutch', en: 'English' },
    theme: 'Appearance',
    themes: { auto: 'As the device', light: 'Light', dark: 'Dark' },
    user: 'User name',
    password: 'Password',
    signIn: 'Sign in',
    signInTitle: 'Sign in',
    signingIn: 'Signing in …',
    wrongPassword: 'User name or password is not right.',
    tooManyTries: 'Too many tries. Wait a minute and try again.',
    noServer: 'The server does not answer. Try again in a moment.',
    cancel: 'Cancel',
    close: 'Close',
    save: 'Save',
    yes: 'Yes',
    no: 'No',
    unknown: 'unknown',
    skip: 'Skip to content',
    expired: 'Your session has ended. Sign in again: your contacts and drafts are still there.',
    notAllowedHere: 'This page cannot be used with this account.',
    wentWrong: 'Something went wrong.',
    loading: 'Loading …',
  },
})

/** What to tell a person about an error. */
export function sayError(error: unknown): string {
  const code = (error as { code?: string }).code
  const said = code ? (words.value.refusals as Record<string, string>)[code] : undefined
  return said ?? words.value.wentWrong
}
