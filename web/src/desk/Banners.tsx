// Bars over the whole width: no connection, put on pause, another tab, not admitted.
import { Icon } from '../shared/icons'
import { OpeningNotices } from '../shared/OpeningNotices'
import { sessionOver, signOut } from '../shared/session'
import { lasting, now, timeWithSeconds } from '../shared/time'
import { words } from '../shared/words'
import { afterWorkDone, start, stop } from './actions'
import { leads } from './alerts'
import { begin } from './Header'
import { PhoneBar } from './phone/PhoneBar'
import { trouble } from './phone/phone'
import { phoneTexts } from './phone/texts'
import { connection, desk, heardAt, OUT_OF_REACH } from './store'
import { texts } from './texts'

export function Banners() {
  const t = texts.value
  const link = connection.value
  const state = link?.link.value
  const me = desk.value?.agent
  return (
    <div class="banners">
      <OpeningNotices openings={desk.value?.openings ?? []} />
      <div role="status">
        {state === 'down' && desk.value && <Down />}
        {(state === 'connecting' || (state === 'down' && !desk.value)) && <p class="banner">{t.connecting}</p>}
        {leads.value ? null : <p class="banner"><Icon name="quiet" />{t.otherTab}</p>}
        {me?.after_work && <p class="banner" data-testid="after-work"><Icon name="clock" /><span class="grow">{t.afterWork}</span><button type="button" class="primary" onClick={() => void afterWorkDone()}>{t.afterWorkDone}</button></p>}
        {me?.presence === 'ready' && me.telephone === 'elsewhere' && <p class="banner" data-testid="telephone-elsewhere"><Icon name="phone" />{t.telephoneElsewhere}</p>}
        {state === 'up' && me?.lost && <p class="banner banner-attention"><Icon name="attention" />{t.lost}</p>}
      </div>
      <div role="alert">
        {me?.presence === 'paused' && OUT_OF_REACH.includes(me.reason) && (
          <div class="banner banner-attention" data-testid={AWAY[me.reason]}>
            <Icon name="attention" />
            <p><Away reason={me.reason} /></p>
            <button type="button" class="primary" onClick={() => void begin()}>{t.backToReady}</button>
          </div>
        )}
        {me?.presence === 'ready' && me.telephone === 'unregistered' && !trouble.value && <p class="banner banner-attention" data-testid="telephone-unregistered"><Icon name="attention" /><span><strong>{t.telephoneUnregistered}</strong> {t.telephoneUnregisteredMore}</span></p>}
        {me?.presence === 'signed_off' && trouble.value && <p class="banner banner-attention" data-testid="phone-banner"><Icon name="attention" /><span><PhoneTrouble /></span></p>}
        {(state === 'refused' || state === 'over') && <Over />}
      </div>
      <PhoneBar />
    </div>
  )
}

const AWAY: Record<string, string> = { not_responding: 'not-responding', connection_lost: 'was-away', phone_unreachable: 'phone-unreachable' }

function Away({ reason }: { reason: string }) {
  const t = texts.value
  if (reason === 'connection_lost') return <><strong>{t.wasAway}</strong> {t.wasAwayMore}</>
  if (reason === 'not_responding') return <><strong>{t.notResponding}</strong> {t.notRespondingMore}</>
  return <><strong>{t.phoneUnreachable}</strong> {trouble.value ? <PhoneTrouble /> : t.notRespondingMore}</>
}

function PhoneTrouble() {
  if (!trouble.value) return null
  const [what, remedy] = phoneTexts.value.troubles[trouble.value]
  return <>{what} {remedy}</>
}

function Down() {
  void now.value
  const age = lasting((Date.now() - heardAt.value) / 1000)
  return (
    <p class="banner banner-attention" data-testid="reconnecting">
      <Icon name="attention" />
      <span><strong>{texts.value.down(age, timeWithSeconds(heardAt.value))}</strong> {texts.value.downMore}</span>
    </p>
  )
}

function Over() {
  const t = texts.value
  const reason = connection.value?.reason.value
  if (reason === 'not_signed_in' || reason === 'signed_out' || reason === 'expired') {
    // The session has ended: what was typed is gone with it, so only the sign-in form makes sense.
    setTimeout(() => sessionOver(reason))
    return null
  }
  return (
    <div class="banner banner-action" data-testid="connection-over">
      <Icon name="action" />
      <p><strong>{reason === 'not_allowed' ? words.value.notAllowedHere : reason === 'replaced' ? t.overElsewhere : connection.value?.link.value === 'over' ? t.over : t.refused}</strong></p>
      {reason === 'not_allowed'
        ? <button type="button" onClick={() => void signOut()}>{t.signOut}</button>
        : <button type="button" class="primary" onClick={() => { stop(); start() }}>{t.again}</button>}
    </div>
  )
}
