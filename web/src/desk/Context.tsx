// What is known about this citizen and this contact, beside the work: told once, never asked again.
import { useState } from 'preact/hooks'
import { ChannelIcon, Icon } from '../shared/icons'
import { titled } from '../shared/i18n'
import { agentName, centre, queueName, topicName } from '../shared/names'
import { Dialog } from '../shared/parts'
import type { Detail, EarlierContact, InHand } from '../shared/protocol'
import { day, moment, now } from '../shared/time'
import { sayError, words } from '../shared/words'
import { readEarlier } from './actions'
import { promiseOf } from './FollowUps'
import { MailBody } from './MailBody'
import { details } from './store'
import { texts } from './texts'
import { Why } from './Why'

export function Context({ one }: { one: InHand }) {
  const t = texts.value
  const detail = details.value[one.contact]
  return (
    <aside class="context" aria-label={t.context} data-testid="context">
      {detail && (
        <>
          <CitizenCard detail={detail} />
          <Told detail={detail} inThread={one.channel === 'email' || one.channel === 'chat'} />
          <NotesOf one={one} detail={detail} />
          <FollowUpsOf detail={detail} />
          <Earlier key={one.contact} contact={one.contact} earlier={detail.earlier} />
          <section>
            <h2>{t.why}</h2>
            <Why key={one.contact} contact={one.contact} />
          </section>
          <p class="small muted reference">{t.receivedAt} {moment(one.received_at)}<br />{t.reference} <span class="number">{one.contact}</span></p>
        </>
      )}
    </aside>
  )
}

function CitizenCard({ detail: { card } }: { detail: Detail }) {
  const t = texts.value
  const known = card.name || card.phone || card.email
  return (
    <section class="citizen">
      <h2>{t.citizen}</h2>
      <p class="citizen-name">{card.name || t.anonymous}</p>
      {known && (
        <dl class="facts">
          {card.phone && <><dt>{t.phone}</dt><dd class="number">{card.phone}</dd></>}
          {card.email && <><dt>{t.email}</dt><dd>{card.email}</dd></>}
        </dl>
      )}
    </section>
  )
}

/** The label under which the chat keeps the topic that was chosen there. */
const TOPIC = 'Onderwerp'

/** A topic chosen by the citizen, kept by its Dutch name, in the agent's language. */
const topicTold = (answer: string): string =>
  titled(centre.value?.topics.find((topic) => Object.values(topic.title).includes(answer))?.title, answer)

/** What colleagues wrote down before: read first by who takes over, wherever the conversation is scrolled. */
function NotesOf({ one, detail }: { one: InHand; detail: Detail }) {
  const t = texts.value
  const notes = detail.messages.filter((message) => message.author === 'note' && message.at < one.accepted_at)
  if (!notes.length) return null
  return (
    <section data-testid="notes-before">
      <h2>{t.notesBefore}<span class="count number">{notes.length}</span></h2>
      <ul class="cards">
        {[...notes].reverse().map((message) => (
          <li key={message.number} class="bubble-note note-before"><p class="pre" dir="auto">{message.text}</p><p class="small muted">{message.name}{message.name && ' · '}{moment(message.at)}</p></li>
        ))}
      </ul>
    </section>
  )
}

function Told({ detail: { card }, inThread }: { detail: Detail; inThread: boolean }) {
  const t = texts.value
  const told = Object.entries(card.details ?? {})
  const subject = inThread ? '' : card.subject
  if (!told.length && !subject) return null
  return (
    <section class="told">
      <h2>{t.asked}</h2>
      <p class="hint">{t.askedHint}</p>
      <dl class="facts facts-stacked">
        {subject && <><dt>{t.subject}</dt><dd>{subject}</dd></>}
        {told.map(([label, answer]) => <><dt>{label === TOPIC ? t.topic : label}</dt><dd dir="auto">{label === TOPIC ? topicTold(answer) : answer}</dd></>)}
      </dl>
    </section>
  )
}

/** An agent's or a queue's name: the server gives the id of either. */
const ownerName = (owner: string): string => (agentName(owner) === owner ? queueName(owner) : agentName(owner))

function FollowUpsOf({ detail }: { detail: Detail }) {
  const t = texts.value
  const open = detail.follow_ups.filter((one) => one.state !== 'kept')
  return (
    <section>
      <h2>{t.openFollowUps}{open.length > 0 && <span class="count number">{open.length}</span>}</h2>
      {open.length === 0 && <p class="muted">{t.noFollowUps}</p>}
      <ul class="cards" hidden={!open.length}>
        {open.map((one) => (
          <li key={one.follow_up}>
            <p>{promiseOf(one)}</p>
            <p class="small muted">
              {one.state === 'overdue' || one.due_at < now.value ? <span class="tag tag-action"><Icon name="action" />{t.late}</span> : null} {t.due.toLowerCase()} {moment(one.due_at)}{one.owner && ` · ${ownerName(one.owner)}`}
            </p>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Resolved({ one }: { one: { resolved: boolean | null } }) {
  const t = texts.value
  if (one.resolved === null || one.resolved === undefined) return null
  return one.resolved
    ? <span class="tag tag-ok"><Icon name="ok" />{t.resolvedWord}</span>
    : <span class="tag tag-attention"><Icon name="attention" />{t.notResolvedWord}</span>
}

function Earlier({ contact, earlier }: { contact: string; earlier: EarlierContact[] }) {
  const t = texts.value
  const [open, setOpen] = useState<EarlierContact | null>(null)
  return (
    <section>
      <h2>{t.earlier}{earlier.length > 0 && <span class="count number">{earlier.length}</span>}</h2>
      {earlier.length === 0 ? <p class="muted">{t.noEarlier}</p> : <p class="muted small">{t.earlierHint}</p>}
      <ul class="cards" data-testid="earlier" hidden={!earlier.length}>
        {earlier.map((one) => (
          <li key={one.contact}>
            <button type="button" class="earlier" onClick={() => setOpen(one)}>
              <ChannelIcon channel={one.channel} />
              <span class="grow">
                <strong>{[one.topic, ...one.further].map(topicName).filter(Boolean).join(' + ') || words.value.channels[one.channel]}</strong>
                <span class="small muted"><span class="visually-hidden">{words.value.channels[one.channel]}, </span>{day(one.received_at)}{one.agent_name && ` · ${one.agent_name}`}</span>
                <Resolved one={one} />
                {one.state === 'ended' && one.reason && one.reason !== 'handled' && <span class="tag">{words.value.endedReasons[one.reason] ?? one.reason}</span>}
                {one.state !== 'ended' && <span class="tag tag-primary">{words.value.contactStates[one.state]}</span>}
              </span>
            </button>
          </li>
        ))}
      </ul>
      {open && <EarlierDialog contact={contact} earlier={open} onClose={() => setOpen(null)} />}
    </section>
  )
}

function EarlierDialog({ contact, earlier, onClose }: { contact: string; earlier: EarlierContact; onClose: () => void }) {
  const t = texts.value
  const [detail, setDetail] = useState<Detail | null>(null)
  const [error, setError] = useState('')
  useState(() => {
    readEarlier(contact, earlier.contact).then(setDetail, (problem) => setError(sayError(problem)))
  })
  return (
    <Dialog title={t.earlierTitle(words.value.channels[earlier.channel], moment(earlier.received_at))} wide onClose={onClose} testid="earlier-dialog">
      <div class="stack">
        <p class="row"><span class="tag">{topicName(earlier.topic)}</span><Resolved one={earlier} />{earlier.agent_name && <span class="muted">{t.by(earlier.agent_name)}</span>}</p>
        {error && <p class="alert alert-action" role="alert"><Icon name="action" />{error}</p>}
        {!detail && !error && <p class="muted" role="status">{words.value.loading}</p>}
        {detail && (
          <div class="thread thread-static">
            {(detail.card.text || detail.card.html) && detail.messages[0]?.text !== detail.card.text && (
              <article class="bubble bubble-citizen bubble-wide">
                {detail.card.subject && <h3>{detail.card.subject}</h3>}
                <MailBody text={detail.card.text} html={detail.card.html} />
              </article>
            )}
            {detail.messages.map((message) => (
              <article key={message.number} class={`bubble bubble-${message.author}`}>
                <header class="small muted">{message.author === 'note' && <span class="note-word"><Icon name="note" />{t.note}</span>}{message.name}{message.name && ' · '}{moment(message.at)}</header>
                <MailBody text={message.text} html={message.html ?? ''} quietly />
              </article>
            ))}
            {!detail.messages.length && !detail.card.text && !detail.card.html && <p class="muted">{t.noMessages}</p>}
          </div>
        )}
      </div>
    </Dialog>
  )
}
