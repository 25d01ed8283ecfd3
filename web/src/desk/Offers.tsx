// What is offered: everything an agent wants to know before accepting, and how long it stands.
import { useEffect, useState } from 'preact/hooks'
import { ChannelIcon, Icon } from '../shared/icons'
import { agentName, municipalityName, queueName, topicName } from '../shared/names'
import type { Offer } from '../shared/protocol'
import { clock, now, present, wait } from '../shared/time'
import { words } from '../shared/words'
import { accept, decline } from './actions'
import { call } from './phone/line'
import { pickUp } from './phone/phone'
import { phoneTexts } from './phone/texts'
import { ariaKeys, keyName } from './shortcuts'
import { desk } from './store'
import { ago, texts } from './texts'

/** Codes: what is recorded says nothing about the citizen. */
const DECLINE_REASONS = ['not_my_subject', 'known_to_me', 'no_time'] as const

export const whoIs = (offer: Offer): string =>
  offer.citizen.name || offer.citizen.phone || offer.citizen.email || texts.value.anonymous

export function Offers() {
  const t = texts.value
  const offers = desk.value?.offers ?? []
  const first = offers[0]
  return (
    <section class="offers" data-focus-not aria-labelledby="offers-title" hidden={!first}>
      <h2 id="offers-title" class="side-title">{t.offers}</h2>
      <p class="visually-hidden" role="alert">
        {first && t.offerSay(words.value.channels[first.channel], queueName(first.queue), whoIs(first))}
      </p>
      {offers.map((offer) => <OfferCard key={offer.offer} offer={offer} />)}
    </section>
  )
}

/** Seconds left, renewed four times a second, because a bar of twenty steps stutters. */
function useRemaining(expires_at: number): number {
  const [left, setLeft] = useState(() => expires_at - present())
  useEffect(() => {
    const timer = setInterval(() => setLeft(expires_at - present()), 250)
    return () => clearInterval(timer)
  }, [expires_at])
  return Math.max(0, left / 1000)
}

function OfferCard({ offer }: { offer: Offer }) {
  const t = texts.value
  const w = words.value
  const left = useRemaining(offer.expires_at)
  const whole = Math.max(1, (offer.expires_at - offer.offered_at) / 1000)
  const [busy, setBusy] = useState(false)
  const phone = offer.channel === 'phone'
  const contact = [offer.citizen.name && offer.citizen.phone, offer.citizen.name && offer.citizen.email].filter(Boolean)
  return (
    <article class="offer" data-testid="offer" data-channel={offer.channel} aria-label={t.offerTitle(w.channels[offer.channel])}>
      <header class="offer-head">
        <ChannelIcon channel={offer.channel} />
        <h3>{w.channels[offer.channel]}</h3>
        <span class="number offer-left" data-testid="offer-seconds">{left > 0 ? t.secondsLeft(Math.ceil(left)) : t.timeUp}</span>
      </header>
      <progress class={left < 6 ? 'urgent' : undefined} max={whole} value={Math.min(whole, left)} aria-label={t.timeLeftLabel} />
      {offer.asked_by && <p class="tag tag-primary">{t.askedBy(agentName(offer.asked_by))}</p>}
      {!offer.asked_by && offer.handed_by && <p class="tag tag-primary">{t.handedBy(agentName(offer.handed_by))}</p>}
      <p class="offer-who" dir="auto">{whoIs(offer)}</p>
      {contact.length > 0 && <p class="small muted number">{contact.join(' · ')}</p>}
      {offer.subject && <p class="offer-subject" dir="auto">{offer.subject}</p>}
      <dl class="facts">
        <dt>{t.topic}</dt><dd>{topicName(offer.topic)}</dd>
        <dt>{t.queue}</dt><dd>{queueName(offer.queue)}</dd>
        <dt>{t.municipality}</dt><dd>{municipalityName(offer.municipality).replace(/^Gemeente /, '')}</dd>
        <dt>{t.waited}</dt><dd class="number">{phone || offer.channel === 'chat' ? clock((now.value - offer.received_at) / 1000) : wait((now.value - offer.received_at) / 1000)}</dd>
        {offer.language !== 'nl' && <><dt>{t.languageOf}</dt><dd><strong>{t.spokenLanguages[offer.language] ?? offer.language}</strong></dd></>}
      </dl>
      <p class="offer-earlier small">
        <strong>{t.earlierCount(offer.earlier)}</strong>
        {offer.last && <span class="muted">{'; '}{t.lastOne(w.channels[offer.last.channel], topicName(offer.last.topic), ago(offer.last.at, now.value))}</span>}
        {offer.last?.resolved === false && <span class="not-resolved">{', '}{t.lastNotResolved}</span>}
      </p>
      {phone && <p class={offer.declining ? 'alert' : 'alert alert-attention ringing'}><Icon name="phone" /><strong>{offer.declining ? t.declining : t.phoneRings}</strong></p>}
      <div class="buttons offer-buttons">
        {phone && call.value?.state === 'rings' && (
          <button type="button" class="primary grow" data-testid="answer" aria-keyshortcuts={ariaKeys('accept')} title={keyName('accept')} onClick={() => void pickUp()}>{phoneTexts.value.answer}</button>
        )}
        {!phone && (
          <button
            type="button" class="primary grow" data-testid="accept" aria-disabled={busy} aria-keyshortcuts={ariaKeys('accept')} title={keyName('accept')}
            onClick={() => {
              if (busy) return
              setBusy(true)
              void accept(offer.offer, offer.contact).then((done) => !done && setBusy(false))
            }}
          >{t.accept}</button>
        )}
        <button
          type="button" data-testid="decline" disabled={offer.declining} aria-keyshortcuts={ariaKeys('decline')} title={keyName('decline')}
          onClick={() => void decline(offer.offer)}
        >{t.decline}</button>
      </div>
      {!offer.declining && (
        <details class="decline-why small">
          <summary>{t.declineWhy}</summary>
          <div class="row">
            {DECLINE_REASONS.map((reason) => <button key={reason} type="button" class="small" data-testid={`decline-${reason}`} onClick={() => void decline(offer.offer, reason)}>{t.declineReasons[reason]}</button>)}
          </div>
        </details>
      )}
    </article>
  )
}
