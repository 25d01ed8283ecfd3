// What is said about recordings of conversations, in Dutch and English.
import { dictionary } from './i18n'

const nl = {
  title: 'Opnamen',
  about: 'Wie luistert, wordt vastgelegd. Een opname verdwijnt vanzelf op de dag die erbij staat.',
  none: 'Er zijn geen opnamen.',
  when: 'Gesprek',
  with: 'Met',
  length: 'Duur',
  until: 'Bewaard tot',
  pauses: (n: number) => (n === 1 ? 'een keer gepauzeerd' : `${n} keer gepauzeerd`),
  listen: 'Beluisteren',
  older: 'Oudere opnamen',
  reference: (contact: string) => `Kenmerk ${contact}`,
  recordingOf: (when: string) => `Opname van ${when}`,
  part: (n: number, of: number) => `deel ${n} van ${of}`,
}

const en: typeof nl = {
  title: 'Recordings',
  about: 'Who listens is put on record. A recording disappears by itself on the day beside it.',
  none: 'There are no recordings.',
  when: 'Conversation',
  with: 'With',
  length: 'Length',
  until: 'Kept until',
  pauses: (n: number) => (n === 1 ? 'paused once' : `paused ${n} times`),
  listen: 'Listen',
  older: 'Older recordings',
  reference: (contact: string) => `Reference ${contact}`,
  recordingOf: (when: string) => `Recording of ${when}`,
  part: (n: number, of: number) => `part ${n} of ${of}`,
}

export const recordingTexts = dictionary({ nl, en })
