// The contacts in hand, at the left, and what waits in the agent's queues.
import { ChannelIcon, Icon } from '../shared/icons'
import { queueName, topicName } from '../shared/names'
import type { InHand } from '../shared/protocol'
import { clock, now, wait } from '../shared/time'
import { words } from '../shared/words'
import { select } from './actions'
import { desk, page, selected, unread } from './store'
import { texts } from './texts'

export const nameOf = (one: InHand): string => one.name || one.subject || texts.value.anonymous

export function Roster() {
  const t = texts.value
  const contacts = desk.value?.contacts ?? []
  return (
    <section class="roster" aria-labelledby="roster-title">
      <h2 id="roster-title" class="side-title">{t.inHand}{contacts.length > 0 && <span class="count number">{contacts.length}</span>}</h2>
      {contacts.length === 0 && <p class="muted side-empty">{t.nothingInHand}</p>}
      {contacts.length > 0 && <ul>{contacts.map((one) => <li key={one.contact}><RosterItem one={one} /></li>)}</ul>}
    </section>
  )
}

function RosterItem({ one }: { one: InHand }) {
  const t = texts.value
  const here = selected.value === one.contact && page.value === 'contacts'
  const news = unread.value[one.contact] ?? 0
  const seconds = (at: number): number => (now.value - at) / 1000
  return (
    <button
      type="button" class="roster-item" aria-current={here ? 'true' : undefined} data-testid="contact" data-contact={one.contact} data-channel={one.channel}
      onClick={() => void select(one.contact)}
    >
      <ChannelIcon channel={one.channel} />
      <span class="roster-text">
        <span class="roster-name" dir="auto"><span class="visually-hidden">{words.value.channels[one.channel]}: </span>{nameOf(one)}</span>
        <span class="small muted roster-topic">{[one.topic, ...one.further].map(topicName).join(' + ')}</span>
        <span class="small roster-timers number">
          <span title={t.sinceStart}><span class="visually-hidden">{t.sinceStart} </span><Icon name="clock" />{wait(seconds(one.accepted_at))}</span>
          {one.last_message_at > 0 && <span title={t.sinceLast}><span class="visually-hidden">{t.sinceLast} </span><Icon name="chat" />{wait(seconds(one.last_message_at))}</span>}
        </span>
        {one.state === 'wrap_up' && (
          <span class="tag tag-attention">{t.wrapUp}{one.wrap_up_due_at > 0 && <span class="number"> {clock((one.wrap_up_due_at - now.value) / 1000)}</span>}</span>
        )}
        {one.held_since > 0 && <span class="tag tag-attention" data-testid="held"><Icon name="pause" />{t.onHold} <span class="number">{clock((now.value - one.held_since) / 1000)}</span></span>}
        {one.parked && <span class="tag"><Icon name="pause" />{t.parked}</span>}
        {one.citizen_left && one.state === 'active' && <span class="tag">{t.citizenLeft}</span>}
        {!news && one.unanswered && one.state === 'active' && <span class="tag tag-primary">{t.unanswered}</span>}
      </span>
      {news > 0 && <span class="unread number" data-testid="unread">{news}<span class="visually-hidden"> {t.unread(news)}</span></span>}
    </button>
  )
}

export function Queues() {
  const t = texts.value
  const waiting = desk.value?.queues ?? []
  if (!waiting.length) return null
  return (
    <section class="queues" aria-labelledby="queues-title">
      <h2 id="queues-title" class="side-title">{t.queues}</h2>
      {waiting.every((one) => one.waiting === 0)
        ? <p class="muted side-empty">{t.noQueues}</p>
        : <ul>{waiting.filter((one) => one.waiting > 0).map((one) => <li key={one.queue}><span>{queueName(one.queue)}</span><span class="number">{one.waiting}</span></li>)}</ul>}
    </section>
  )
}
