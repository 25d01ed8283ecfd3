// The middle of the desk: the contact at hand with what can be done to it, or what to do when there is none.
import { useLayoutEffect, useRef } from 'preact/hooks'
import { ChannelIcon, Icon } from '../shared/icons'
import { municipalityName, queueName, reasonName, topicName } from '../shared/names'
import type { InHand } from '../shared/protocol'
import { clock, now } from '../shared/time'
import { words } from '../shared/words'
import { dial, finish, load } from './actions'
import { Composer } from './Composer'
import { begin } from './Header'
import { Documents } from './Documents'
import { nameOf } from './Roster'
import { ariaKeys, keyName } from './shortcuts'
import { mayPutThrough, OutsideBar } from './Outside'
import { desk, detailErrors, details, openDialog, toFocus } from './store'
import { texts } from './texts'
import { Thread } from './Thread'
import { Questions } from './Questions'
import { RecordingBar } from './Recording'
import { TogetherBar } from './Together'
import { WrapUp } from './WrapUp'

/** Whether the citizen can be written to. */
export const writable = (one: InHand): boolean => one.channel === 'chat' || one.channel === 'email'

export function Work({ one }: { one: InHand }) {
  const t = texts.value
  const detail = details.value[one.contact]
  const error = detailErrors.value[one.contact]
  const post = one.channel === 'post'
  const place = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    if (toFocus.value !== one.contact) return
    toFocus.value = ''
    // A chat is answered at once; all else is read first.
    place.current?.querySelector<HTMLElement>(one.channel === 'chat' ? '[data-box=reply]' : '.work-title')?.focus()
  }, [])
  return (
    <div ref={place} class={post ? 'work work-post' : 'work'} data-testid="work" data-contact={one.contact} data-state={one.state}>
      <WorkHead one={one} />
      {one.parked && <p class="alert" role="status" data-testid="parked"><Icon name="pause" /><span>{t.parkedText}</span></p>}
      {one.role === 'owner' && <Questions one={one} />}
      <TogetherBar one={one} />
      <OutsideBar one={one} />
      <RecordingBar one={one} />
      {!detail && error && (
        <div class="alert alert-action" role="alert"><Icon name="action" /><p>{t.loadFailed} {error}</p><button type="button" onClick={() => void load(one.contact)}>{t.tryAgain}</button></div>
      )}
      {!detail && !error && <p class="muted pad" role="status">{words.value.loading}</p>}
      {detail && post && <Documents attachments={detail.card.attachments} unreadable={detail.card.unreadable} open />}
      {detail && <Thread one={one} detail={detail} />}
      {one.state === 'wrap_up' ? <WrapUp one={one} topic={detail?.contact.topic || one.topic} /> : one.role === 'owner' && <Composer one={one} />}
    </div>
  )
}

function WorkHead({ one }: { one: InHand }) {
  const t = texts.value
  const mine = one.role === 'owner'
  const active = one.state === 'active' && mine
  const alone = !one.participants.length && !one.consulting && !one.outside
  return (
    <header class="work-head">
      <ChannelIcon channel={one.channel} />
      <div class="grow">
        <h1 class="work-title" dir="auto" tabIndex={-1} data-testid="work-title"><span class="visually-hidden">{words.value.channels[one.channel]}: </span>{nameOf(one)}</h1>
        <p class="small muted">{[topicName(one.topic), queueName(one.queue), municipalityName(one.municipality)].filter((s, i, all) => all.indexOf(s) === i).join(' · ')}</p>
      </div>
      {Object.values(one.listeners).map((mode) => <span key={mode} class="tag tag-attention" data-testid="listened">{t.listened[mode]}</span>)}
      {one.language !== 'nl' && <span class="tag tag-primary">{t.spokenLanguages[one.language] ?? one.language}</span>}
      {one.citizen_left && <span class="tag">{t.citizenLeft}</span>}
      <div class="row work-actions" role="group" aria-label={t.actions}>
        {mine && <button type="button" title={keyName('followUp')} aria-keyshortcuts={ariaKeys('followUp')} onClick={() => (openDialog.value = 'follow-up')}><Icon name="promise" />{t.followUp}</button>}
        {active && one.channel === 'phone' && alone && <button type="button" data-testid="consult" title={keyName('consult')} aria-keyshortcuts={ariaKeys('consult')} onClick={() => (openDialog.value = 'consult')}><Icon name="phone" />{t.consult}</button>}
        {active && one.channel === 'phone' && alone && mayPutThrough() && <button type="button" data-testid="put-through" onClick={() => (openDialog.value = 'outside')}><Icon name="out" />{t.putThrough}</button>}
        {active && !one.outside && <button type="button" title={keyName('handOver')} aria-keyshortcuts={ariaKeys('handOver')} onClick={() => (openDialog.value = 'hand-over')}><Icon name="person" />{t.handOver}</button>}
        {active && !one.outside && (
          <button type="button" class="primary" data-testid="finish" title={keyName('finish')} aria-keyshortcuts={ariaKeys('finish')} onClick={() => finish()}>
            <Icon name="ok" />{one.channel === 'phone' ? t.finish.phone : t.finish.other}
          </button>
        )}
      </div>
    </header>
  )
}

/** For channels where the talking happens elsewhere: a reminder of what to do, and for how long it has lasted. */
export function Elsewhere({ one }: { one: InHand }) {
  const t = texts.value
  if (one.state !== 'active' || one.outside) return null
  const said = one.channel === 'phone' ? [t.inCall, t.inCallText] : one.channel === 'counter' ? [t.atCounter, t.inCallText] : one.channel === 'callback' ? [t.callThem, t.callThemText] : null
  if (!said) return null
  return (
    <div class="elsewhere">
      <Icon name={one.channel === 'chat' ? 'chat' : one.channel} />
      <p class="grow"><strong>{said[0]}</strong>{one.role === 'owner' && <><br /><span class="muted">{said[1]}</span></>}</p>
      {one.channel === 'callback' && one.dialling && <p role="status" data-testid="dialling" data-dialling={one.dialling}>{one.dialling === 'reached' ? t.inCall : t.dialling}</p>}
      {one.channel === 'callback' && !one.dialling && one.dial_failed && <p class="tag tag-attention" role="status" data-testid="dial-failed">{t.dialFailed[one.dial_failed] ?? t.dialFailedOther}</p>}
      {one.channel === 'callback' && !one.dialling && desk.value?.agent.phone && <button type="button" class="primary" data-testid="dial" onClick={() => void dial(one.contact)}><Icon name="phone" />{t.dial}</button>}
      {one.channel === 'phone' && <span class="big number">{clock((now.value - one.accepted_at) / 1000)}</span>}
    </div>
  )
}

export function Idle() {
  const t = texts.value
  const me = desk.value?.agent
  if (!me) return <div class="idle" />
  if (desk.value?.contacts.length) return <div class="idle"><p class="muted">{t.chooseContact}</p></div>
  const said = me.after_work ? [t.afterWorkTitle, t.afterWork] : { signed_off: [t.welcome, t.welcomeText], ready: [t.waitingForYou, t.waitingForYouText], paused: [t.pausedTitle, t.pausedText] }[me.presence]
  return (
    <div class={`idle idle-${me.presence}`}>
      <span class="idle-mark"><Icon name={me.after_work ? 'clock' : me.presence === 'ready' ? 'ok' : me.presence === 'paused' ? 'pause' : 'person'} /></span>
      <h1>{said[0]}</h1>
      {me.presence === 'paused' && me.reason && <p class="tag tag-attention">{reasonName(me.reason)}</p>}
      <p class="muted">{said[1]}</p>
      {me.presence === 'signed_off' && <button type="button" class="primary" onClick={() => void begin()}>{t.startShift}</button>}
    </div>
  )
}
