// The telephone while it rings or talks: what goes on, and the buttons for it.
import { Icon } from '../../shared/icons'
import { ariaKeys, keyName } from '../shortcuts'
import { call, hangUp, hold, KEYPAD, mute, sendKey } from './line'
import { pickUp } from './phone'
import { phoneTexts } from './texts'

export function PhoneBar() {
  const now = call.value
  if (!now) return null
  const t = phoneTexts.value
  const said = now.state !== 'talking' ? t[now.state] : now.held ? t.held : now.muted ? t.muted : t.talking
  return (
    <section class="banner phone-bar" aria-label={t.phone} data-testid="phone-bar" data-state={now.state} data-held={now.held} data-muted={now.muted}>
      <Icon name="phone" />
      <p role="status"><strong>{said}</strong></p>
      <div class="row">
        {now.state === 'rings' && <button type="button" class="primary" data-testid="phone-answer" title={keyName('accept')} aria-keyshortcuts={ariaKeys('accept')} onClick={() => void pickUp()}><Icon name="phone" />{t.answer}</button>}
        {now.state === 'talking' && (
          <>
            <button type="button" data-testid="phone-mute" title={keyName('mute')} aria-keyshortcuts={ariaKeys('mute')} onClick={mute}><Icon name={now.muted ? 'microphone' : 'muted'} />{now.muted ? t.unmute : t.mute}</button>
            <button type="button" data-testid="phone-hold" title={keyName('hold')} aria-keyshortcuts={ariaKeys('hold')} onClick={hold}><Icon name="pause" />{now.held ? t.retrieve : t.hold}</button>
            <Keypad keyed={now.keyed} />
            <button type="button" class="danger" data-testid="phone-hang-up" onClick={hangUp}>{t.hangUp}</button>
          </>
        )}
      </div>
    </section>
  )
}

/** For menus of others: keys by mouse or, while it is open and has the keyboard, by typing them. */
function Keypad({ keyed }: { keyed: string }) {
  const t = phoneTexts.value
  return (
    <details class="keypad" data-testid="phone-keypad" onKeyDown={(event) => !event.altKey && !event.ctrlKey && !event.metaKey && sendKey(event.key)}>
      <summary class="button"><Icon name="keys" />{t.keypad}</summary>
      <div class="keypad-keys" role="group" aria-label={t.keypad}>
        <p role="status" class="small number keypad-sent">{keyed && t.keysSent(keyed)}</p>
        {KEYPAD.map((key) => <button key={key} type="button" aria-label={t.key(key)} onClick={() => sendKey(key)}>{key}</button>)}
      </div>
    </details>
  )
}
