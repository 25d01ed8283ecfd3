// The dialogs of the desk: pause, end of shift, finish, hand over, follow-up, settings, shortcuts.
import { useEffect, useRef, useState } from 'preact/hooks'
import { Icon } from '../shared/icons'
import { titled } from '../shared/i18n'
import { centre, learnNames } from '../shared/names'
import { RecordingsDialog } from '../shared/Recordings'
import { Dialog, Field, SendForm, ThemeChoice } from '../shared/parts'
import type { InHand, Owner, Window } from '../shared/protocol'
import { Estimates } from '../shared/Estimates'
import { day, present, timeOfDay } from '../shared/time'
import { Refusal } from '../shared/refusal'
import { words } from '../shared/words'
import { END_OF_SHIFT, finish, handOver, leave, makeFollowUp, planCallback, say, setPresence, windowsOf } from './actions'
import { beep, unlock } from './alerts'
import { enterSends, shortcutsOn, soundHiddenOnly, volume } from './settings'
import { KEYS, keyName, type Shortcut } from './shortcuts'
import { PhoneCheck } from './phone/PhoneCheck'
import { DropRecordingDialog } from './Recording'
import { current, desk, openDialog, typedIn } from './store'
import { texts } from './texts'
import { OutsideDialog } from './Outside'
import { ConsultDialog, TransferWarning } from './Together'

const shut = (): void => {
  openDialog.value = null
}

export function Dialogs() {
  const one = current.value
  switch (openDialog.value) {
    case 'pause': return <PauseDialog />
    case 'end-shift': return <EndShiftDialog />
    case 'log-out': return <LogOutDialog />
    case 'finish': return one && <FinishDialog />
    case 'hand-over': return one && <HandOverDialog key={one.contact} one={one} />
    case 'consult': return one && <ConsultDialog key={one.contact} one={one} />
    case 'outside': return one && <OutsideDialog key={one.contact} one={one} />
    case 'drop-recording': return one && <DropRecordingDialog key={one.contact} one={one} />
    case 'recordings': return <RecordingsDialog onClose={shut} />
    case 'follow-up': return one && <FollowUpDialog key={one.contact} contact={one.contact} queue={one.queue} />
    case 'settings': return <SettingsDialog />
    case 'phone': return <PhoneCheck />
    case 'shortcuts': return <ShortcutsDialog />
    default: return null
  }
}

function PauseDialog() {
  const t = texts.value
  const reasons = centre.value?.pause_reasons ?? []
  return (
    <Dialog title={t.pause} onClose={shut} testid="pause-dialog">
      <div class="stack">
        <p class="muted">{desk.value?.contacts.length ? t.pausedBusy : t.pausedText}</p>
        <div class="reason-list" role="group" aria-label={t.pauseWhy}>
          {(reasons.length ? reasons : [{ id: '', title: {} }]).map((reason) => (
            <button key={reason.id} type="button" data-testid={`pause-${reason.id}`} onClick={() => void setPresence('paused', reason.id).then(shut)}>
              {titled(reason.title, reason.id || t.pause)}
            </button>
          ))}
        </div>
      </div>
    </Dialog>
  )
}

function EndShiftDialog() {
  const t = texts.value
  return (
    <Dialog title={t.endShiftTitle} onClose={shut}>
      <SendForm action={t.endShift} onCancel={shut} send={() => setPresence('paused', END_OF_SHIFT).then(shut)}>
        <p>{t.endShiftText(desk.value?.contacts.length ?? 0)}</p>
      </SendForm>
    </Dialog>
  )
}

function LogOutDialog() {
  const t = texts.value
  return (
    <Dialog title={t.logOutTitle} onClose={shut}>
      <SendForm action={t.signOut} danger onCancel={shut} send={leave}>
        <p>{t.logOutText(desk.value?.contacts.length ?? 0)}</p>
      </SendForm>
    </Dialog>
  )
}

function FinishDialog() {
  const t = texts.value
  return (
    <Dialog title={t.finishTitle} onClose={shut}>
      <SendForm action={t.finishAnyway} danger onCancel={shut} send={async () => finish(true)}>
        <p>{t.finishDraft}</p>
      </SendForm>
    </Dialog>
  )
}

function HandOverDialog({ one: handed }: { one: InHand }) {
  const t = texts.value
  const { contact, queue: from } = handed
  const [kind, setKind] = useState<'queue' | 'agent'>('queue')
  // Who is there now: the names come with everybody's presence.
  useEffect(() => void learnNames().catch(() => undefined), [])
  const colleagues = (centre.value?.agents ?? []).filter((one) => one.id !== desk.value?.agent.id && one.presence !== 'signed_off')
  const draft = typedIn(contact).reply.trim()
  return (
    <Dialog title={t.handOverTitle} onClose={shut} testid="hand-over-dialog">
      <SendForm
        action={t.handOver}
        onCancel={shut}
        send={async (data) => {
          const to = `${data.get('to')}`
          await handOver(contact, kind === 'queue' ? { queue: to } : { agent: to }, `${data.get('note')}`.trim())
          shut()
          say(t.handedOver)
        }}
      >
        <fieldset>
          <legend>{t.handOverTo}</legend>
          {(['queue', 'agent'] as const).map((one) => (
            <label key={one} class="option"><input type="radio" name="kind" checked={kind === one} onChange={() => setKind(one)} />{one === 'queue' ? t.toQueue : t.toColleague}</label>
          ))}
        </fieldset>
        {kind === 'queue' ? <QueueField name="to" first={from} /> : (
          <Field label={t.colleague}>
            {(id) => (
              <select id={id} name="to" required>
                <option value="">{t.choose}</option>
                {colleagues.map((one) => <option key={one.id} value={one.id}>{one.name}{one.presence ? ` (${words.value.personStates[one.presence].toLowerCase()})` : ''}</option>)}
              </select>
            )}
          </Field>
        )}
        {kind === 'agent' && !colleagues.length && <p class="alert alert-attention"><Icon name="attention" /> {t.nobodyThere}</p>}
        <TransferWarning one={handed} />
        {draft && <p class="alert alert-attention"><Icon name="attention" /> {t.handOverDraft}</p>}
        <Field label={t.handOverNote} hint={t.handOverHint}>
          {(id, described) => <textarea id={id} name="note" rows={3} maxLength={4000} aria-describedby={described} />}
        </Field>
      </SendForm>
    </Dialog>
  )
}

export function QueueField({ name, first }: { name: string; first: string }) {
  const queues = centre.value?.queues ?? []
  return (
    <Field label={texts.value.queue}>
      {(id) => (
        <select id={id} name={name} required defaultValue={first}>
          {queues.map((one) => <option key={one.id} value={one.id} selected={one.id === first}>{titled(one.title, one.id)}</option>)}
        </select>
      )}
    </Field>
  )
}

export function ownerOf(data: FormData): Owner {
  return data.get('owner') === 'queue' ? { queue: `${data.get('queue')}` } : { agent: `${data.get('owner-agent') ?? desk.value?.agent.id ?? ''}` }
}

const isoDay = (at: Date): string => `${at.getFullYear()}-${`${at.getMonth() + 1}`.padStart(2, '0')}-${`${at.getDate()}`.padStart(2, '0')}`

const END_OF_DAY = 17 * 60
const clockOf = (minutes: number): string => [minutes / 60, minutes % 60].map((n) => `${Math.floor(n)}`.padStart(2, '0')).join(':')
const momentOn = (on: string, minutes: number): number => new Date(`${on}T${minutes < 1440 ? clockOf(minutes) : '23:59'}:00`).getTime()

/** The next working day: what most promises are about. */
function nextWorkingDay(): string {
  const at = new Date(present())
  do at.setDate(at.getDate() + 1)
  while (at.getDay() === 0 || at.getDay() === 6)
  return isoDay(at)
}

function FollowUpDialog({ contact, queue }: { contact: string; queue: string }) {
  const t = texts.value
  const [owner, setOwner] = useState<'me' | 'queue'>('me')
  const [past, setPast] = useState(false)
  const [callBack, setCallBack] = useState(false)
  const [moments, setMoments] = useState<Window[]>([])
  const parts = centre.value?.parts_of_day ?? []
  useEffect(() => void windowsOf(contact).then(setMoments, () => undefined), [contact])
  const request = useRef(crypto.randomUUID())
  return (
    <Dialog title={t.followUpTitle} onClose={shut} testid="follow-up-dialog">
      <SendForm
        action={words.value.save}
        onCancel={shut}
        send={async (data) => {
          const text = `${data.get('text')}`.trim()
          if (callBack) {
            const window = moments[Number(data.get('moment'))]
            if (!window) throw new Refusal({ code: 'invalid', message: '' })
            await planCallback({
              contact, request: request.current, call_from: Math.max(window.call_from, present()), call_until: window.call_until, text,
              phone: `${data.get('phone')}`.trim(), agent: owner === 'me' ? desk.value?.agent.id ?? '' : '',
            })
          } else {
            const due_at = momentOn(`${data.get('day')}`, parts.find((one) => one.id === data.get('part'))?.end ?? END_OF_DAY)
            setPast(due_at <= present())
            if (Number.isNaN(due_at)) throw new Refusal({ code: 'invalid', message: '' })
            if (due_at <= present()) return
            await makeFollowUp(contact, text, due_at, ownerOf(data))
          }
          shut()
          say(t.followUpMade)
        }}
      >
        <Field label={t.followUpText}>{(id) => <textarea id={id} name="text" rows={3} maxLength={4000} required autofocus />}</Field>
        {callBack ? (
          <Field label={t.callBackWhen}>
            {(id) => (
              <select id={id} name="moment" required>
                {moments.map((one, n) => <option key={one.call_from} value={n}>{`${day(one.call_from)} ${timeOfDay(one.call_from)}–${timeOfDay(one.call_until)}`}</option>)}
              </select>
            )}
          </Field>
        ) : <div class="pair">
          <Field label={t.followUpDay} {...(past ? { error: t.dayInPast } : {})}>
            {(id, described) => <input id={id} name="day" type="date" required min={isoDay(new Date(present()))} defaultValue={nextWorkingDay()} aria-describedby={described} aria-invalid={past} />}
          </Field>
          <Field label={t.followUpPart}>
            {(id) => <select id={id} name="part">{[...parts].reverse().map((one) => <option key={one.id} value={one.id}>{t.until(clockOf(one.end))}</option>)}</select>}
          </Field>
        </div>}
        {moments.length > 0 && <Tick label={t.callBack} on={callBack} change={setCallBack} />}
        {callBack && <Field label={t.callBackNumber} hint={t.callBackHint}>{(id, described) => <input id={id} name="phone" type="tel" maxLength={60} autocomplete="off" aria-describedby={described} />}</Field>}
        <fieldset>
          <legend>{t.followUpOwner}</legend>
          {(['me', 'queue'] as const).map((one) => (
            <label key={one} class="option"><input type="radio" name="owner" value={one} checked={owner === one} onChange={() => setOwner(one)} />{one === 'me' ? t.ownerMe : t.ownerQueue}</label>
          ))}
        </fieldset>
        {owner === 'queue' && !callBack && <QueueField name="queue" first={queue} />}
      </SendForm>
    </Dialog>
  )
}

function SettingsDialog() {
  const t = texts.value
  return (
    <Dialog title={t.settings} onClose={shut} testid="settings-dialog">
      <div class="stack">
        <Field label={`${t.soundTitle}: ${t.volume.toLowerCase()}`}>
          {(id) => (
            <div class="row">
              <input id={id} class="grow" type="range" min="0" max="100" step="10" value={volume.value} onInput={(event) => (volume.value = event.currentTarget.valueAsNumber)} />
              <span class="number volume">{volume.value}%</span>
              <button type="button" onClick={() => void unlock().then(beep)}>{t.test}</button>
            </div>
          )}
        </Field>
        <Tick label={t.soundHiddenOnly} on={soundHiddenOnly.value} change={(on) => (soundHiddenOnly.value = on)} />
        <p><strong>{t.notifications}</strong><br /><span class="muted">{t.notificationsState['Notification' in window ? Notification.permission : 'denied']}</span></p>
        <fieldset>
          <legend>{t.enterTitle}</legend>
          <label class="option"><input type="radio" name="enter" checked={enterSends.value} onChange={() => (enterSends.value = true)} />{t.enterKeys.enter}</label>
          <label class="option"><input type="radio" name="enter" checked={!enterSends.value} onChange={() => (enterSends.value = false)} />{t.enterKeys.ctrl}</label>
          <p class="hint">{t.enterMail}</p>
        </fieldset>
        <Tick label={t.shortcutsOn} on={shortcutsOn.value} change={(on) => (shortcutsOn.value = on)} />
        <div class="row"><strong>{t.look}</strong><ThemeChoice /></div>
        <Expected />
      </div>
    </Dialog>
  )
}

/** What the router expects of this agent: read when it is asked for. */
function Expected() {
  const [open, setOpen] = useState(false)
  return (
    <details data-testid="expected" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary><strong>{texts.value.expected}</strong></summary>
      {open && <Estimates />}
    </details>
  )
}

const Tick = ({ label, on, change }: { label: string; on: boolean; change: (on: boolean) => void }) => (
  <label class="option"><input type="checkbox" checked={on} onChange={(event) => change(event.currentTarget.checked)} />{label}</label>
)

function ShortcutsDialog() {
  const t = texts.value
  return (
    <Dialog title={t.shortcuts} onClose={shut} testid="shortcuts-dialog">
      <dl class="keys">
        {(Object.keys(KEYS) as Shortcut[]).map((one) => <><dt><kbd>{keyName(one)}</kbd></dt><dd>{t.keys[one]}</dd></>)}
      </dl>
      <p class="hint">{t.keysHint}</p>
    </Dialog>
  )
}
