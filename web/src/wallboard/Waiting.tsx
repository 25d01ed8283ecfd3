// The contacts behind a queue's figure: why each waits, and a supervisor's two ways out, each with a reason.
import { useEffect, useState } from 'preact/hooks'
import { excludedInWords } from '../shared/decisions'
import { ChannelIcon, Icon } from '../shared/icons'
import { titled } from '../shared/i18n'
import { centre, municipalityName, queueName, topicName } from '../shared/names'
import { Dialog, Field, SendForm } from '../shared/parts'
import type { WaitingContact } from '../shared/protocol'
import { moment, now, timeWithSeconds, wait } from '../shared/time'
import { sayError, words } from '../shared/words'
import { close, move, prioritise, waitingIn } from './store'
import { texts } from './texts'

const READ_MS = 5000
const PRIORITIES = [1, 2, 3, 4, 5, 6, 7, 8, 9]

type ActKind = 'move' | 'priority' | 'close'

export function Waiting({ queue, onClose }: { queue: string; onClose: () => void }) {
  const t = texts.value
  const [contacts, setContacts] = useState<WaitingContact[] | null>(null)
  const [error, setError] = useState('')
  const [acting, act] = useState<{ kind: ActKind; contact: string } | null>(null)
  const [done, setDone] = useState('')
  const read = (): void => {
    waitingIn(queue).then(
      (found) => {
        setContacts(found.filter((one) => one.state === 'waiting' || one.state === 'offered'))
        setError('')
      },
      (problem) => setError(sayError(problem)),
    )
  }
  useEffect(() => {
    read()
    const timer = setInterval(read, READ_MS)
    return () => clearInterval(timer)
  }, [])
  const after = (said: string): void => {
    act(null)
    setDone(said)
    read()
  }
  return (
    <Dialog title={t.waitingTitle(queueName(queue))} wide onClose={onClose} testid="waiting-dialog">
      <p role="status" class={done ? 'alert alert-ok' : ''}>{done && <><Icon name="ok" /> {done}</>}</p>
      {error && <p class="alert alert-action" role="alert"><Icon name="action" />{error}</p>}
      {!contacts && !error && <p class="muted">{words.value.loading}</p>}
      {contacts?.length === 0 && <p class="muted">{t.nobodyWaits}</p>}
      <ul class="waiting-list" hidden={!contacts?.length}>
        {contacts?.map((one) => (
          <li key={one.id} data-testid="waiting-contact" data-contact={one.id}>
            <div class="waiting-head">
              <ChannelIcon channel={one.channel} />
              <div class="grow">
                <p><strong>{words.value.channels[one.channel]}</strong> · {topicName(one.topic)} · {municipalityName(one.municipality)}{one.priority !== null && ` · ${t.priorityIs(one.priority)}`}{one.language !== 'nl' && ` · ${words.value.languages[one.language] ?? one.language}`}</p>
                <p class="small">{one.state === 'offered' ? <span class="tag tag-primary">{words.value.contactStates.offered}</span> : <Why one={one} />}</p>
                <p class="small muted number">{one.id}</p>
              </div>
              {one.due_at && one.due_at - one.received_at > 3_600_000 && (
                <p class="number">
                  {one.due_at < now.value
                    ? <span class="tag tag-attention"><Icon name="attention" />{t.dueSince(moment(one.due_at))}</span>
                    : <span class="small muted">{t.dueBefore(moment(one.due_at))}</span>}
                </p>
              )}
              <p class="number waited"><span class="small muted">{t.waits} </span><strong>{wait((now.value - one.received_at) / 1000)}</strong></p>
              <div class="row">
                <button type="button" aria-expanded={acting?.kind === 'move' && acting.contact === one.id} onClick={() => act({ kind: 'move', contact: one.id })}>{t.move}</button>
                <button type="button" aria-expanded={acting?.kind === 'priority' && acting.contact === one.id} onClick={() => act({ kind: 'priority', contact: one.id })}>{t.priority}</button>
                <button type="button" aria-expanded={acting?.kind === 'close' && acting.contact === one.id} onClick={() => act({ kind: 'close', contact: one.id })}>{t.close}</button>
              </div>
            </div>
            {acting?.contact === one.id && <Act key={acting.kind} kind={acting.kind} one={one} after={after} cancel={() => act(null)} />}
          </li>
        ))}
      </ul>
    </Dialog>
  )
}

function Why({ one }: { one: WaitingContact }) {
  const t = texts.value
  const decision = one.decision
  if (!decision) return null
  const reasons = excludedInWords(decision.excluded)
  const kept = decision.excluded['reserved'] && decision.reserved_until > 0
  return (
    <>
      {kept ? t.reserved(timeWithSeconds(decision.reserved_until)) : decision.candidates.length > 0 ? t.candidates(decision.candidates.length) : t.nobodyCan(reasons.join(', ') || t.noneYet)}
      {decision.stranded && <strong class="stranded"><Icon name="action" /> {t.strandedOne(t.stranded[decision.stranded])}</strong>}
      {decision.step > 0 && <> {t.widened(decision.step)}</>}
      {' '}{t.before(decision.waiting_before)} {t.offers(one.offers)} <span class="muted">{t.configuration(decision.configuration)}</span>
    </>
  )
}

function Act({ kind, one, after, cancel }: { kind: ActKind; one: WaitingContact; after: (said: string) => void; cancel: () => void }) {
  const t = texts.value
  const queues = (centre.value?.queues ?? []).filter((queue) => queue.id !== one.queue)
  return (
    <SendForm
      class="stack waiting-act"
      action={{ move: t.move, priority: t.prioritise, close: t.closeTitle }[kind]}
      danger={kind === 'close'}
      onCancel={cancel}
      send={async (data) => {
        const why = `${data.get('why')}`.trim()
        if (kind === 'move') await move(one.id, `${data.get('queue')}`, why)
        else if (kind === 'priority') await prioritise(one.id, Number(data.get('priority')), why)
        else await close(one.id, why)
        after({ move: t.moved, priority: t.prioritised, close: t.closed }[kind])
      }}
    >
      {kind === 'move' && (
        <Field label={t.moveTo}>{(id) => <select id={id} name="queue" required>{queues.map((queue) => <option key={queue.id} value={queue.id}>{titled(queue.title, queue.id)}</option>)}</select>}</Field>
      )}
      {kind === 'priority' && (
        <Field label={t.priorityNow}>{(id) => <select id={id} name="priority" required>{PRIORITIES.map((n) => <option key={n} value={n} selected={n === (one.priority ?? 5)}>{t.priorityWord(n)}</option>)}</select>}</Field>
      )}
      <Field label={t.why}>{(id) => <input id={id} name="why" required minLength={3} maxLength={500} pattern=".*\S.*" autocomplete="off" />}</Field>
    </SendForm>
  )
}
