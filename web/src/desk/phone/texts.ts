// What the desk says about its telephone.
import { dictionary } from '../../shared/i18n'
import type { Line } from './line'
import type { Trouble } from './phone'

interface Texts {
  phone: string
  lines: Record<Line, string>
  troubles: Record<Exclude<Trouble, ''>, [string, string]>
  tryAgain: string
  rings: string
  answering: string
  talking: string
  muted: string
  held: string
  answer: string
  mute: string
  unmute: string
  hold: string
  retrieve: string
  keypad: string
  keysSent: (keys: string) => string
  key: (key: string) => string
  hangUp: string
  check: string
  checkText: string
  microphone: string
  speaker: string
  usual: string
  nameless: (n: number) => string
  level: string
  levelText: string
  quiet: string
  heard: string
  testSound: string
  autoAnswer: string
  cleanSound: string
}

const nl: Texts = {
  phone: 'Telefoon',
  lines: { off: 'uit', connecting: 'wordt aangemeld', registered: 'aangemeld', unconnected: 'niet aangemeld', refused: 'geweigerd' },
  troubles: {
    microphone_refused: ['De microfoon is geblokkeerd.', 'Sta de microfoon toe via het slotje of de microfoon in de adresbalk, en probeer het opnieuw.'],
    microphone_missing: ['Er is geen microfoon gevonden.', 'Sluit uw headset aan en probeer het opnieuw.'],
    microphone_busy: ['De microfoon doet het niet.', 'Een ander programma gebruikt hem misschien. Sluit dat, of kies een andere microfoon.'],
    microphone_insecure: ['Bellen kan niet op dit adres.', 'De browser geeft de microfoon alleen op een beveiligd adres (https). Meld dit bij uw beheerder.'],
    line_unconnected: ['Uw telefoon is niet aangemeld.', 'De verbinding met de telefooncentrale is weg. Die wordt vanzelf opnieuw gezocht.'],
    line_refused: ['De telefooncentrale weigert uw telefoon.', 'Het wachtwoord klopt waarschijnlijk niet. Meld dit bij uw beheerder.'],
  },
  tryAgain: 'Opnieuw proberen',
  rings: 'Uw telefoon gaat over',
  answering: 'Wordt opgenomen…',
  talking: 'In gesprek',
  muted: 'In gesprek, uw microfoon is uit',
  held: 'De inwoner staat in de wacht en hoort muziek',
  answer: 'Opnemen',
  mute: 'Microfoon uit',
  unmute: 'Microfoon aan',
  hold: 'In de wacht',
  retrieve: 'Uit de wacht',
  keypad: 'Toetsen',
  keysSent: (keys) => `Verstuurd: ${keys}`,
  key: (key) => ({ '*': 'sterretje', '#': 'hekje' })[key] ?? key,
  hangUp: 'Ophangen',
  check: 'Microfoon en geluid',
  checkText: 'Zeg iets: de balk beweegt mee. Zo weet u voor uw dienst dat inwoners u horen.',
  microphone: 'Microfoon',
  speaker: 'Luidspreker of headset',
  usual: 'Standaard van deze computer',
  nameless: (n) => `Apparaat ${n}`,
  level: 'Hoe luid u klinkt',
  levelText: 'Niveau van de microfoon',
  quiet: 'Nog niets gehoord',
  heard: 'U bent te horen',
  testSound: 'Testgeluid afspelen',
  autoAnswer: 'Gesprekken vanzelf opnemen',
  cleanSound: 'Echo en ruis onderdrukken',
}

const en: Texts = {
  phone: 'Telephone',
  lines: { off: 'off', connecting: 'registering', registered: 'registered', unconnected: 'not registered', refused: 'refused' },
  troubles: {
    microphone_refused: ['The microphone is blocked.', 'Allow the microphone by the lock or the microphone in the address bar, and try again.'],
    microphone_missing: ['No microphone was found.', 'Plug in your headset and try again.'],
    microphone_busy: ['The microphone does not work.', 'Another program may be using it. Close that, or choose another microphone.'],
    microphone_insecure: ['Calling is not possible at this address.', 'The browser gives the microphone only at a secure address (https). Tell your administrator.'],
    line_unconnected: ['Your telephone is not registered.', 'The connection with the telephone exchange is lost. It is being looked for again.'],
    line_refused: ['The telephone exchange refuses your telephone.', 'Its password is probably wrong. Tell your administrator.'],
  },
  tryAgain: 'Try again',
  rings: 'Your telephone rings',
  answering: 'Answering…',
  talking: 'In a call',
  muted: 'In a call, your microphone is off',
  held: 'The citizen is on hold and hears music',
  answer: 'Answer',
  mute: 'Microphone off',
  unmute: 'Microphone on',
  hold: 'Hold',
  retrieve: 'Take off hold',
  keypad: 'Keypad',
  keysSent: (keys) => `Sent: ${keys}`,
  key: (key) => ({ '*': 'star', '#': 'hash' })[key] ?? key,
  hangUp: 'Hang up',
  check: 'Microphone and sound',
  checkText: 'Say something: the bar moves along. So you know before your shift that citizens hear you.',
  microphone: 'Microphone',
  speaker: 'Loudspeaker or headset',
  usual: 'Default of this computer',
  nameless: (n) => `Device ${n}`,
  level: 'How loud you sound',
  levelText: 'Level of the microphone',
  quiet: 'Nothing heard yet',
  heard: 'You can be heard',
  testSound: 'Play a test sound',
  autoAnswer: 'Answer calls automatically',
  cleanSound: 'Suppress echo and noise',
}

export const phoneTexts = dictionary<Texts>({ nl, en })
