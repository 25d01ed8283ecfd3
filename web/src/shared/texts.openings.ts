// What is said about channels that are open, closed at once, and about calamities, in Dutch and English.
import { dictionary } from './i18n'
import type { ClosingReason } from './protocol'

const nl = {
  title: 'Openstelling',
  dialogTitle: 'Openstelling en calamiteiten',
  reasons: {
    outage: 'storing', staffing: 'te weinig bezetting', incident: 'calamiteit', evacuation: 'ontruiming', other: 'andere reden',
  } as Record<ClosingReason, string>,
  closed: (channels: string, reason: string) => `${channels} gesloten: ${reason}`,
  until: (at: string) => `tot ${at}`,
  untilOpened: 'tot iemand het opent',
  calamity: 'Calamiteitenmelding',
  isOpen: 'open',
  byHours: 'gesloten volgens de openingstijden',
  bySupervisor: (reason: string) => `gesloten: ${reason}`,
  by: (name: string, at: string) => `door ${name}, ${at}`,
  close: 'Sluiten …',
  closeNow: 'Nu sluiten',
  open: 'Weer openen',
  which: 'Welke kanalen?',
  reason: 'Reden',
  howLong: 'Hoe lang?',
  spans: { 0: 'Tot iemand het opent', 30: '30 minuten', 60: '1 uur', 120: '2 uur', 240: '4 uur', 1440: '24 uur' } as Record<number, string>,
  stays: 'Wie al wacht, blijft wachten en wordt geholpen. E-mail en post komen gewoon binnen.',
  announce: 'Calamiteit melden …',
  announceNow: 'Melding aanzetten',
  withdraw: 'Melding uitzetten',
  whichText: 'Welke tekst?',
  ready: 'De tekst die klaarstaat, ook aan de telefoon',
  own: 'Een eigen tekst, in de chat en op de schermen',
  textNl: 'Nederlands',
  textEn: 'Engels (mag leeg)',
  publicHint: 'Inwoners lezen dit. Noem geen namen.',
  done: 'Vastgelegd.',
}

type Texts = typeof nl

const en: Texts = {
  title: 'Openings',
  dialogTitle: 'Openings and calamities',
  reasons: { outage: 'outage', staffing: 'too few staff', incident: 'incident', evacuation: 'evacuation', other: 'another reason' },
  closed: (channels, reason) => `${channels} closed: ${reason}`,
  until: (at) => `until ${at}`,
  untilOpened: 'until somebody opens it',
  calamity: 'Calamity message',
  isOpen: 'open',
  byHours: 'closed by its opening hours',
  bySupervisor: (reason) => `closed: ${reason}`,
  by: (name, at) => `by ${name}, ${at}`,
  close: 'Close …',
  closeNow: 'Close now',
  open: 'Open again',
  which: 'Which channels?',
  reason: 'Reason',
  howLong: 'How long?',
  spans: { 0: 'Until somebody opens it', 30: '30 minutes', 60: '1 hour', 120: '2 hours', 240: '4 hours', 1440: '24 hours' },
  stays: 'Whoever waits already keeps waiting and is served. E-mail and post come in as always.',
  announce: 'Announce a calamity …',
  announceNow: 'Switch the message on',
  withdraw: 'Switch the message off',
  whichText: 'Which text?',
  ready: 'The text that stands ready, on the phone too',
  own: 'A text of your own, in the chat and on screens',
  textNl: 'Dutch',
  textEn: 'English (may be empty)',
  publicHint: 'Citizens read this. Mention no names.',
  done: 'Recorded.',
}

export const openingTexts = dictionary<Texts>({ nl, en })
