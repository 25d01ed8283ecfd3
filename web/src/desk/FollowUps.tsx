// Promises that are open: overdue first, each with an owner, each to be completed with a word about how it ended.
import { useEffect, useState } from 'preact/hooks'
import { Icon } from '../shared/icons'
import { Listen } from '../shared/Listen'
import { agentName, centre, municipalityName, queueName } from '../shared/names'
import { Dialog, Field, SendForm } from '../shared/parts'
import type { FollowUp } from '../shared/protocol'
import { moment, now } from '../shared/time'
import { sayError, words } from '../shared/words'
import { callNow, followUpAssign, followUpDone, listFollowUps, say } from './actions'
import { ownerOf, QueueField } from './Dialogs'
import { connection, desk } from './store'
import { texts } from './texts'

const isLate = (one: FollowUp): boolean => one.state === 'overdue' || one.due_at < now.value

export function FollowUps() {
  const t = texts.value
  const [mine, setMine] = useState(false)
  const [list, setList] = useState<FollowUp[] | null>(null)
  const [error, setError] = useState('')
  const [dialog, setDialog] = useState<{ kind: 'done' | 'assign'; one: FollowUp } | null>(null)
  const read = (): void => {
    listFollowUps(mine).then(
      (found) => {
        setError('')
        setList([...found].sort((a, b) => Number(isLate(b)) - Number(isLate(a)) || a.due_at - b.due_at))
      },
      (problem) => setError(sayError(problem)),
    )
  }
  const counts = desk.value?.follow_ups
  const up = connection.value?.link.value === 'up'
  // The texts are recorded when they are read, so the list is read again only when the numbers changed.
  useEffect(() => {
    if (up) read()
  }, [mine, up, counts?.open, counts?.overdue])
  return (
    <section class="page" aria-labelledby="follow-ups-title" data-testid="follow-ups">
      <header class="row page-head">
        <h1 id="follow-ups-title" class="grow">{t.followUpsTitle}</h1>
        <div class="row" role="group" aria-label={t.owner}>
          {([false, true] as const).map((choice) => (
            <button key={`${choice}`} type="button" class="kind" aria-pressed={mine === choice} onClick={() => setMine(choice)}>{choice ? t.followUpsMine : t.followUpsOurs}</button>
          ))}
        </div>
        <button type="button" onClick={read}>{t.refresh}</button>
      </header>
      {error && <p class="alert alert-action" role="alert"><Icon name="action" />{error}</p>}
      {!list && !error && <p class="muted" role="status">{words.value.loading}</p>}
      {list?.length === 0 && <p class="alert alert-ok"><Icon name="ok" />{t.followUpsNone}</p>}
      <ul class="follow-up-list" hidden={!list?.length}>
        {list?.map((one) => <Item key={one.follow_up} one={one} open={(kind) => setDialog({ kind, one })} />)}
      </ul>
      {dialog?.kind === 'done' && <DoneDialog one={dialog.one} close={() => setDialog(null)} after={read} />}
      {dialog?.kind === 'assign' && <AssignDialog one={dialog.one} close={() => setDialog(null)} after={read} />}
    </section>
  )
}

/** What was promised. A promise the centre made itself has no text. */
export const promiseOf = (one: { text: string; reason: string }): string => (one.reason === 'cut_off' ? texts.value.callBackCutOff : one.reason === 'voicemail' ? texts.value.voicemail : one.text)

function Item({ one, open }: { one: FollowUp; open: (kind: 'done' | 'assign') => void }) {
  const t = texts.value
  const owner = one.owner_agent ? agentName(one.owner_agent) : queueName(one.owner_queue)
  return (
    <li class={isLate(one) ? 'follow-up follow-up-late' : 'follow-up'} data-testid="follow-up" data-follow-up={one.follow_up}>
      <div class="follow-up-due">
        {isLate(one) ? <span class="tag tag-action"><Icon name="action" />{t.late}</span> : <span class="tag"><Icon name="clock" />{t.open}</span>}
        <span class="number">{moment(one.due_at)}</span>
      </div>
      <div class="grow">
        <p class="follow-up-text" dir="auto">{promiseOf(one)}</p>
        {one.recording && <Listen parts={[one.recording]} label={t.voicemail} />}
        <p class="small muted">
          {[one.name, one.phone, municipalityName(one.municipality)].filter(Boolean).join(' · ')}<br />
          {t.promised}: {t.madeBy(one.by === 'centre' ? t.byItself : agentName(one.by), moment(one.made_at))} · {t.owner}: {owner}
        </p>
      </div>
      {one.callback && <span class="tag tag-primary"><Icon name="callback" />{t.callBackPromise(one.tries)}{one.call_at > 0 && ` · ${moment(one.call_at)}`}</span>}
      <div class="row">
        {one.callback && desk.value?.agent.phone && <button type="button" data-testid="call-now" onClick={() => void callNow(one.follow_up)}><Icon name="phone" />{t.callNow}<span class="visually-hidden">: {promiseOf(one)}</span></button>}
        <button type="button" class="primary" onClick={() => open('done')}><Icon name="ok" />{t.done}<span class="visually-hidden">: {promiseOf(one)}</span></button>
        <button type="button" onClick={() => open('assign')}>{t.assign}<span class="visually-hidden">: {promiseOf(one)}</span></button>
      </div>
    </li>
  )
}

function DoneDialog({ one, close, after }: { one: FollowUp; close: () => void; after: () => void }) {
  const t = texts.value
  return (
    <Dialog title={t.doneTitle} onClose={close}>
      <SendForm
        action={t.done}
        onCancel={close}
        send={async (data) => {
          await followUpDone(one.follow_up, `${data.get('note')}`.trim())
          close()
          say(t.doneSaved)
          after()
        }}
      >
        <p>{promiseOf(one)}</p>
        <Field label={t.doneNote}>{(id) => <textarea id={id} name="note" rows={3} maxLength={4000} autofocus />}</Field>
      </SendForm>
    </Dialog>
  )
}

function AssignDialog({ one, close, after }: { one: FollowUp; close: () => void; after: () => void }) {
  const t = texts.value
  const [owner, setOwner] = useState<'agent' | 'queue'>('agent')
  return (
    <Dialog title={t.assignTitle} onClose={close}>
      <SendForm
        action={t.assign}
        onCancel={close}
        send={async (data) => {
          await followUpAssign(one.follow_up, ownerOf(data))
          close()
          say(t.assignSaved)
          after()
        }}
      >
        <p>{promiseOf(one)}</p>
        <fieldset>
          <legend>{t.followUpOwner}</legend>
          {(['agent', 'queue'] as const).map((kind) => (
            <label key={kind} class="option"><input type="radio" name="owner" value={kind} checked={owner === kind} onChange={() => setOwner(kind)} />{kind === 'agent' ? t.colleague : t.ownerQueue}</label>
          ))}
        </fieldset>
        {owner === 'queue' ? <QueueField name="queue" first={one.owner_queue} /> : (
          <Field label={t.colleague}>
            {(id) => (
              <select id={id} name="owner-agent" required>
                {(centre.value?.agents ?? []).map((agent) => <option key={agent.id} value={agent.id} selected={agent.id === desk.value?.agent.id}>{agent.name}</option>)}
              </select>
            )}
          </Field>
        )}
      </SendForm>
    </Dialog>
  )
}
