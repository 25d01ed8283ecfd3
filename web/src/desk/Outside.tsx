// A call put through to somebody outside the centre: to whom, and while it rings there the way back.
import { useState } from 'preact/hooks'
import { titled } from '../shared/i18n'
import { Icon } from '../shared/icons'
import { centre, destinationName } from '../shared/names'
import { Dialog, Field, SendForm } from '../shared/parts'
import type { InHand } from '../shared/protocol'
import { passOutside, say, together } from './actions'
import { openDialog } from './store'
import { texts } from './texts'
import { TransferWarning } from './Together'

/** Whether there is anybody outside to whom a call may be put through. */
export const mayPutThrough = (): boolean => !!centre.value?.destinations?.length || !!centre.value?.typed_numbers

export function OutsideBar({ one }: { one: InHand }) {
  const t = texts.value
  if (!one.outside) return null
  const who = destinationName(one.outside)
  const asks = one.outside_state === 'ringing' || one.outside_state === 'talking'
  return (
    <div class="together" role="group" aria-label={t.putThrough} data-testid="outside" data-to={one.outside} data-state={one.outside_state}>
      <Icon name="phone" />
      <p class="grow" role="status">{one.outside_state === 'talking' ? t.talksOutside(who) : asks ? t.ringsOutsideFirst(who) : t.ringsOutside(who)}</p>
      {one.outside_state === 'talking' && <button type="button" class="primary" data-testid="join-outside" onClick={() => void together('transfer', one.contact)}>{t.connectOutside}</button>}
      <button type="button" data-testid="cancel-outside" onClick={() => void together('cancel_outside', one.contact)}>{asks ? t.backToCitizen : t.takeBack}</button>
    </div>
  )
}

export function OutsideDialog({ one }: { one: InHand }) {
  const t = texts.value
  const destinations = centre.value?.destinations ?? []
  const typing = !!centre.value?.typed_numbers
  const [typed, setTyped] = useState(!destinations.length)
  const [first, setFirst] = useState(true)
  const shut = (): void => void (openDialog.value = null)
  return (
    <Dialog title={t.putThroughTitle} onClose={shut} testid="outside-dialog">
      <SendForm
        action={first ? t.callOutside : t.transfer}
        onCancel={shut}
        send={async (data) => {
          const to = `${data.get('to')}`.trim()
          await passOutside(one.contact, typed ? { number: to } : { destination: to }, first)
          shut()
          say(t.ringsNow)
        }}
      >
        <fieldset>
          <legend>{t.putThroughHow}</legend>
          {[true, false].map((asks) => (
            <label key={`${asks}`} class="option"><input type="radio" name="how" checked={first === asks} onChange={() => setFirst(asks)} />{asks ? t.consultFirst : t.atOnce}</label>
          ))}
        </fieldset>
        <p class="muted">{first ? t.consultFirstText : t.putThroughText}</p>
        <TransferWarning one={one} />
        {typing && destinations.length > 0 && (
          <fieldset>
            <legend>{t.handOverTo}</legend>
            {[false, true].map((own) => (
              <label key={`${own}`} class="option"><input type="radio" name="kind" checked={typed === own} onChange={() => setTyped(own)} />{own ? t.anotherNumber : t.listedDestination}</label>
            ))}
          </fieldset>
        )}
        {typed ? (
          <Field label={t.phoneNumber}>{(id) => <input key="number" id={id} name="to" type="tel" inputMode="tel" autocomplete="off" maxLength={40} required />}</Field>
        ) : (
          <Field label={t.listedDestination}>
            {(id) => (
              <select key="to" id={id} name="to" required>
                <option value="">{t.choose}</option>
                {destinations.map((other) => <option key={other.id} value={other.id}>{titled(other.title, other.id)}</option>)}
              </select>
            )}
          </Field>
        )}
      </SendForm>
    </Dialog>
  )
}
