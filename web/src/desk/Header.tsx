// The top of the desk: which page, one's own presence with the time in it, and the agent's own choices.
import { session } from '../shared/session'
import { Icon } from '../shared/icons'
import { centre, reasonName } from '../shared/names'
import { LanguageChoice } from '../shared/parts'
import { recordingTexts } from '../shared/texts.recordings'
import { clock, now } from '../shared/time'
import { words } from '../shared/words'
import { leave, setPresence } from './actions'
import { askForNotifications, unlock } from './alerts'
import { PhoneStatus } from './phone/PhoneCheck'
import { phoneWorks } from './phone/phone'
import { ariaKeys } from './shortcuts'
import { desk, openDialog, OUT_OF_REACH, page, type Page } from './store'
import { texts } from './texts'

/** From a click on: sound, notifications and the telephone work, then contacts may come. */
export async function begin(): Promise<void> {
  await Promise.all([unlock(), askForNotifications()])
  if (await phoneWorks()) await setPresence('ready')
  else openDialog.value = 'phone'
}

export function Header() {
  const t = texts.value
  const counts = desk.value?.follow_ups
  return (
    <header class="top">
      <p class="brand">{words.value.product}</p>
      <nav aria-label={t.nav} class="tabs">
        <Tab to="contacts">{t.contacts}</Tab>
        <Tab to="follow-ups">
          {t.followUps}
          {!!counts?.open && <span class="count number">{counts.open}</span>}
          {!!counts?.overdue && <span class="tag tag-action"><Icon name="action" />{t.overdue(counts.overdue)}</span>}
        </Tab>
{centre.value?.recordings && <button type="button" class="tab" aria-haspopup="dialog" onClick={() => (openDialog.value = 'recordings')}>{recordingTexts.value.title}</button>}
        {session.value?.role === 'supervisor' && <a class="tab" href="/wallboard">{t.wallboard}</a>}
      </nav>
      <PhoneStatus />
      <Presence />
      <div class="row tools">
        <LanguageChoice />
        <button type="button" class="plain square" aria-label={t.shortcuts} title={t.shortcuts} aria-keyshortcuts={ariaKeys('list')} onClick={() => (openDialog.value = 'shortcuts')}><Icon name="keys" /></button>
        <button type="button" class="plain square" aria-label={t.settings} title={t.settings} onClick={() => (openDialog.value = 'settings')}><Icon name="bell" /></button>
        <span class="who">{session.value?.name}</span>
        <button type="button" class="plain" onClick={() => (desk.value?.contacts.length ? (openDialog.value = 'log-out') : void leave())}>
          <Icon name="out" />{t.signOut}
        </button>
      </div>
    </header>
  )
}

function Tab({ to, children }: { to: Page; children: preact.ComponentChildren }) {
  return (
    <button type="button" class="tab" aria-current={page.value === to ? 'page' : undefined} onClick={() => (page.value = to)}>
      {children}
    </button>
  )
}

function Presence() {
  const me = desk.value?.agent
  const t = texts.value
  if (!me) return <div class="presence" />
  const word = words.value.personStates[me.presence]
  const icon = me.presence === 'ready' ? 'ok' : me.presence === 'paused' ? 'pause' : 'quiet'
  return (
    <section class="presence" aria-label={t.presence}>
      <p class={`state state-${me.presence}`} data-testid="presence">
        <Icon name={icon} />
        <span><strong>{word}</strong>{me.presence === 'paused' && me.reason ? `: ${reasonName(me.reason)}` : ''}</span>
        {me.since > 0 && <span class="number muted">{t.inState(clock((now.value - me.since) / 1000))}</span>}
      </p>
      {me.presence === 'signed_off' && (
        <button type="button" class="primary" onClick={() => void begin()}>{t.startShift}</button>
      )}
      {me.presence === 'paused' && !OUT_OF_REACH.includes(me.reason) && (
        <button type="button" class="primary" aria-keyshortcuts={ariaKeys('presence')} onClick={() => void begin()}>{t.backToReady}</button>
      )}
      {me.presence === 'ready' && (
        <button type="button" aria-haspopup="dialog" aria-keyshortcuts={ariaKeys('presence')} onClick={() => (openDialog.value = 'pause')}><Icon name="pause" />{t.pause}</button>
      )}
      {me.presence !== 'signed_off' && (
        <button type="button" class="plain" onClick={() => (desk.value?.contacts.length ? (openDialog.value = 'end-shift') : void setPresence('signed_off'))}>{t.endShift}</button>
      )}
    </section>
  )
}
