// A call with a colleague in it: whom one asks, who is on the line with whom, and the ways on from there.
import { useEffect } from 'preact/hooks'
import { Icon } from '../shared/icons'
import { agentName, centre, learnNames } from '../shared/names'
import { Dialog, Field, SendForm } from '../shared/parts'
import type { InHand } from '../shared/protocol'
import { words } from '../shared/words'
import { consult, together } from './actions'
import { desk, openDialog } from './store'
import { texts } from './texts'

/** What is going on between the owner, a colleague and the citizen. */
const situation = (one: InHand): 'alone' | 'rings' | 'consulted' | 'conferenced' | 'guest' =>
  one.role !== 'owner' ? 'guest' : one.consulting ? 'rings' : one.participants[0]?.role ?? 'alone'

export function TogetherBar({ one }: { one: InHand }) {
  const t = texts.value
  const now = situation(one)
  if (now === 'alone') return null
  const colleague = agentName(one.consulting || one.participants[0]?.agent || '')
  const said = {
    rings: t.consultRings(colleague), consulted: t.consulted(colleague), conferenced: t.conferenced(colleague),
    guest: one.role === 'conferenced' ? t.guestInConference(agentName(one.owner)) : t.guest(agentName(one.owner)),
  }[now]
  return (
    <div class="together" role="group" aria-label={t.together} data-testid="together" data-situation={now}>
      <Icon name="person" />
      <p class="grow" role="status">{said}</p>
      {now === 'consulted' && <button type="button" class="primary" data-testid="transfer" onClick={() => void together('transfer', one.contact)}>{t.transfer}</button>}
      {now === 'consulted' && <button type="button" data-testid="conference" onClick={() => void together('conference', one.contact)}>{t.conference}</button>}
      {now === 'conferenced' && <button type="button" class="primary" data-testid="transfer" onClick={() => void together('transfer', one.contact)}>{t.leaveTo(colleague)}</button>}
      {(now === 'rings' || now === 'consulted') && <button type="button" data-testid="cancel-consult" onClick={() => void together('cancel_consult', one.contact)}>{t.backToCitizen}</button>}
    </div>
  )
}

/** At the second transfer: the citizen has told it twice already. */
export const TransferWarning = ({ one }: { one: InHand }) =>
  one.transfers > 0 ? <p class="alert alert-attention" data-testid="transfer-warning"><Icon name="attention" /> {texts.value.transferredBefore(one.transfers)}</p> : null

const FREE_FIRST = ['ready', 'paused', 'wrap_up', 'busy', 'signed_off']

export function ConsultDialog({ one }: { one: InHand }) {
  const t = texts.value
  const shut = (): void => void (openDialog.value = null)
  // Who is there now: the names come with everybody's presence.
  useEffect(() => void learnNames().catch(() => undefined), [])
  const there = (centre.value?.agents ?? [])
    .filter((other) => other.id !== desk.value?.agent.id && other.presence !== 'signed_off')
    .sort((a, b) => FREE_FIRST.indexOf(a.presence ?? '') - FREE_FIRST.indexOf(b.presence ?? '') || a.name.localeCompare(b.name))
  return (
    <Dialog title={t.consultTitle} onClose={shut} testid="consult-dialog">
      <SendForm action={t.consultCall} onCancel={shut} send={(data) => consult(one.contact, `${data.get('to')}`).then(shut)}>
        <p class="muted">{t.consultText}</p>
        <TransferWarning one={one} />
        <Field label={t.colleague}>
          {(id) => (
            <select id={id} name="to" required>
              <option value="">{t.choose}</option>
              {there.map((other) => (
                <option key={other.id} value={other.id} disabled={other.presence === 'busy'}>
                  {other.name}{other.presence ? ` (${words.value.personStates[other.presence].toLowerCase()})` : ''}
                </option>
              ))}
            </select>
          )}
        </Field>
        {!there.length && <p class="alert alert-attention"><Icon name="attention" /> {t.nobodyToAsk}</p>}
      </SendForm>
    </Dialog>
  )
}
