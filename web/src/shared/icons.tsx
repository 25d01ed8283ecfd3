// The few pictures of the pages, drawn in one style; they never stand for a word alone.
import type { Channel } from './protocol'

const PATHS = {
  phone: 'M6.6 3.5 9 4l1.2 4-2 1.6a13 13 0 0 0 6.2 6.2l1.6-2 4 1.2.5 2.4a2 2 0 0 1-2 2.4A16.5 16.5 0 0 1 4.2 5.5a2 2 0 0 1 2.4-2Z',
  email: 'M3.5 6.5a1 1 0 0 1 1-1h15a1 1 0 0 1 1 1v11a1 1 0 0 1-1 1h-15a1 1 0 0 1-1-1zM4 6.5l8 6.5 8-6.5',
  chat: 'M4.5 4.5h15a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H11l-4.5 4v-4h-2a1 1 0 0 1-1-1v-10a1 1 0 0 1 1-1ZM8 9h8M8 12.5h5',
  post: 'M6 3.5h8.5l4 4v12a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1v-15a1 1 0 0 1 1-1ZM14 3.5V8h4.5M8.5 12h7M8.5 15.5h7',
  counter: 'M12 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM5.5 15.5c.6-2 3-3 6.5-3s5.9 1 6.5 3M3 16h18M5 16v4.5M19 16v4.5',
  callback: 'M6.6 8.5 9 9l.9 3-1.6 1.3a11 11 0 0 0 4.9 4.9l1.3-1.6 3 .9.5 2.4a2 2 0 0 1-2 2A14.5 14.5 0 0 1 4.2 10.5a2 2 0 0 1 2.4-2ZM20 4l-6 6M14 5.5V10h4.5',
  microphone: 'M12 14.5a3 3 0 0 0 3-3v-5a3 3 0 0 0-6 0v5a3 3 0 0 0 3 3ZM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3',
  muted: 'M12 14.5a3 3 0 0 0 3-3v-5a3 3 0 0 0-6 0v5a3 3 0 0 0 3 3ZM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3M4 4l16 16',
  ok: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM8 12.300l2.7 2.700L16 9.5',
  attention: 'M12 4 2.8 19.5h18.4ZM12 10v4.5M12 17v.2',
  action: 'M8.3 3h7.400L21 8.300v7.400L15.7 21H8.300L3 15.700V8.300ZM12 7.5v5.5M12 16v.2',
  quiet: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM8 12h8',
  bell: 'M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15ZM10 20.5h4',
  pause: 'M9 5.5v13M15 5.5v13',
  record: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z',
  play: 'M8 5.500v13l10-6.500Z',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 7v5l3.5 2',
  promise: 'M5 5.5h14a1 1 0 0 1 1 1v13a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1v-13a1 1 0 0 1 1-1ZM4 10h16M8 3.5v4M16 3.5v4M9 15l2.2 2 3.8-4',
  person: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20.5c.5-4 3.5-5.5 7.5-5.5s7 1.5 7.5 5.5',
  note: 'M5 4.5h14v10l-5 5H5ZM14 19.5v-5h5M8.5 9h7M8.5 12.5h4',
  out: 'M14 4.5H5.5v15H14M10 12h10.5M17 8.5l3.5 3.5-3.5 3.5',
  keys: 'M3.5 6.5h17v11h-17ZM7 10h.2M10.3 10h.2M13.6 10h.2M17 10h.2M7.5 14h9',
  close: 'M6 6l12 12M18 6 6 18',
  send: 'M4 12 20.5 4.5 16 20l-4-6.5ZM12 13.5 20.5 4.5',
  attach: 'M18.5 11.5 12 18a4 4 0 0 1-5.7-5.700l7-7a2.7 2.7 0 0 1 3.8 3.800l-7 7a1.3 1.3 0 0 1-1.9-1.900l6.3-6.3',
  sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6 7 7M17 17l1.4 1.400M18.4 5.6 17 7M7 17l-1.4 1.4',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  )
}

export const ChannelIcon = ({ channel }: { channel: Channel }) => (
  <span class={`channel channel-${channel}`}>
    <Icon name={channel in PATHS ? channel : 'chat'} />
  </span>
)
