// What was said so far: the first message, answers and notes, oldest first.
import { useLayoutEffect, useRef } from 'preact/hooks'
import { Icon } from '../shared/icons'
import type { Detail, InHand, Message } from '../shared/protocol'
import { moment, now } from '../shared/time'
import { deliver } from './actions'
import { Attachments } from './Documents'
import { MailBody } from './MailBody'
import { nameOf } from './Roster'
import { outgoing, typingUntil, type Outgoing } from './store'
import { texts } from './texts'
import { Elsewhere } from './Work'

export function Thread({ one, detail }: { one: InHand; detail: Detail }) {
  const t = texts.value
  const box = useRef<HTMLDivElement>(null)
  // A mail is read from its beginning, until the citizen has written again.
  const atEnd = useRef(one.channel !== 'email' || detail.messages.some((message) => message.author === 'citizen'))
  const waiting = outgoing.value.filter((sent) => sent.contact === one.contact)
  const types = (typingUntil.value[one.contact] ?? 0) > now.value
  useLayoutEffect(() => {
    const it = box.current
    if (waiting.length) atEnd.current = true
    if (it && atEnd.current) it.scrollTop = it.scrollHeight
  }, [detail.messages.length, waiting.length, types])
  return (
    <div
      ref={box} class="thread" role="log" aria-label={t.conversation} tabIndex={0} data-testid="thread"
      onScroll={(event) => {
        const it = event.currentTarget
        atEnd.current = it.scrollHeight - it.scrollTop - it.clientHeight < 60
      }}
    >
      <Elsewhere one={one} />
      <Beginning one={one} detail={detail} />
      {detail.messages.map((message) => <Bubble key={message.number} message={message} />)}
      {waiting.map((sent) => <Waiting key={sent.message} sent={sent} />)}
      {types && <p class="small muted typing" aria-hidden="true">{t.typing(nameOf(one))}</p>}
    </div>
  )
}

/** The mail, form or letter itself, unless the first message already is that. */
function Beginning({ one, detail }: { one: InHand; detail: Detail }) {
  const t = texts.value
  const { card, messages } = detail
  const first = messages[0]
  if (one.channel === 'chat' && first) return null
  if (first?.author === 'citizen' && first.text.trim() === card.text.trim() && card.text) return null
  const documents = one.channel === 'post' ? [] : card.attachments
  // A letter's subject stands beside it; the room is the document's.
  if (one.channel === 'post' && !card.text && !card.html && !card.unreadable) return null
  if (!card.text && !card.html && !card.subject && !card.unreadable && !documents.length) return null
  return (
    <article class="bubble bubble-citizen bubble-wide">
      <header class="small muted">{card.name || card.email || nameOf(one)} · <time>{moment(one.received_at)}</time></header>
      {card.subject && <h2 class="mail-subject" dir="auto">{card.subject}</h2>}
      {card.unreadable && <p class="alert alert-attention"><Icon name="attention" />{t.unreadable}</p>}
      <MailBody text={card.text} html={card.html} quietly={one.channel !== 'email'} />
      {documents.length > 0 && <Attachments attachments={documents} />}
    </article>
  )
}

function Bubble({ message }: { message: Message }) {
  const t = texts.value
  const { author } = message
  if (author === 'system' && message.text.length < 120) return <p class="bubble-system small muted">{message.text} · <time>{moment(message.at)}</time></p>
  const who = author === 'citizen' ? message.name : author === 'system' ? t.system : message.name || t.you
  return (
    <article class={`bubble bubble-${author}`} data-testid={`message-${author}`} data-number={message.number}>
      <header class="small muted">
        {author === 'note' && <span class="note-word"><Icon name="note" />{t.note}</span>}
        {who}{who && ' · '}<time>{moment(message.at)}</time>
      </header>
      {message.unreadable && <p class="alert alert-attention"><Icon name="attention" />{t.unreadable}</p>}
      <MailBody text={message.text} html={message.html ?? ''} quietly />
      {!!message.attachments?.length && <Attachments attachments={message.attachments} />}
      {message.delivery && author === 'agent' && (
        <p class={`small delivery delivery-${message.delivery}`}>
          {(message.delivery === 'failed' || message.delivery === 'unknown') && <Icon name="attention" />}{t.deliveries[message.delivery]}
        </p>
      )}
    </article>
  )
}

function Waiting({ sent }: { sent: Outgoing }) {
  const t = texts.value
  return (
    <article class={`bubble bubble-${sent.mode === 'reply' ? 'agent' : 'note'} bubble-waiting`} aria-live="off" data-testid="message-waiting">
      <p class="pre" dir="auto">{sent.text}</p>
      {sent.state === 'sending'
        ? <p class="small muted">{t.sending}</p>
        : <p class="small row"><span class="not-resolved"><Icon name="attention" /> {t.notSent}</span><button type="button" class="link" onClick={() => void deliver(sent)}>{t.tryAgain}</button></p>}
    </article>
  )
}
