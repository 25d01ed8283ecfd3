// Trying microphone and sound before the shift, choosing them, and how calls are answered.
import { useEffect, useState } from 'preact/hooks'
import { Icon } from '../../shared/icons'
import { Dialog, Field } from '../../shared/parts'
import { beep, unlock } from '../alerts'
import { autoAnswer, cleanSound, microphone, speaker } from '../settings'
import { openDialog } from '../store'
import { line } from './line'
import { closeMicrophone, devices, measure, openMicrophone, speakerCanBeChosen } from './microphone'
import { here, trouble } from './phone'
import { phoneTexts } from './texts'

const HEARD = 0.35

/** In the top of the desk: whether the telephone works, and the way to try it. */
export function PhoneStatus() {
  if (!here.value) return null
  const t = phoneTexts.value
  const well = line.value === 'registered' && !trouble.value
  const state = `${t.phone}: ${t.lines[line.value]}`
  return (
    <button
      type="button" class={well ? 'plain square phone-status' : 'plain phone-status phone-status-bad'} data-testid="phone-status" data-line={line.value}
      aria-haspopup="dialog" title={state} aria-label={well ? state : undefined} onClick={() => (openDialog.value = 'phone')}
    ><Icon name={well ? 'phone' : 'attention'} />{!well && (trouble.value ? t.troubles[trouble.value][0] : state)}</button>
  )
}

export function PhoneCheck() {
  const t = phoneTexts.value
  return (
    <Dialog title={t.check} onClose={() => (openDialog.value = null)} testid="phone-check">
      <div class="stack">
        <p class="muted">{t.checkText}</p>
        <Level key={`${microphone.value} ${cleanSound.value}`} />
        <Choice label={t.microphone} list={devices.value.inputs} chosen={microphone.value} choose={(id) => (microphone.value = id)} />
        {speakerCanBeChosen && <Choice label={t.speaker} list={devices.value.outputs} chosen={speaker.value} choose={(id) => (speaker.value = id)} />}
        <p><button type="button" onClick={() => void unlock().then(beep)}>{t.testSound}</button></p>
        <label class="option"><input type="checkbox" checked={autoAnswer.value} onChange={(event) => (autoAnswer.value = event.currentTarget.checked)} />{t.autoAnswer}</label>
        <label class="option"><input type="checkbox" checked={cleanSound.value} onChange={(event) => (cleanSound.value = event.currentTarget.checked)} />{t.cleanSound}</label>
      </div>
    </Dialog>
  )
}

/** The meter: opens the microphone while it is shown. */
function Level() {
  const t = phoneTexts.value
  const [level, setLevel] = useState(0)
  const [heard, setHeard] = useState(false)
  const [attempt, setAttempt] = useState(0)
  useEffect(() => {
    let stop = (): void => undefined
    let over = false
    void openMicrophone().then((stream) => {
      if (!stream) return
      if (over) return closeMicrophone(stream)
      const end = measure(stream, (now) => {
        setLevel(now)
        if (now > HEARD) setHeard(true)
      })
      stop = () => {
        end()
        closeMicrophone(stream)
      }
    })
    return () => {
      over = true
      stop()
    }
  }, [attempt])
  if (trouble.value) {
    const [what, remedy] = t.troubles[trouble.value]
    return (
      <div class="alert alert-action" role="alert" data-testid="phone-trouble">
        <Icon name="action" /><p><strong>{what}</strong> {remedy}</p>
        <button type="button" onClick={() => setAttempt(attempt + 1)}>{t.tryAgain}</button>
      </div>
    )
  }
  return (
    <div>
      <meter class="level" min={0} max={1} low={HEARD} value={level} aria-label={t.levelText} data-testid="phone-level" />
      <p role="status" data-testid="phone-heard" data-heard={heard}><Icon name={heard ? 'ok' : 'quiet'} /> {heard ? t.heard : t.quiet}</p>
    </div>
  )
}

function Choice({ label, list, chosen, choose }: { label: string; list: MediaDeviceInfo[]; chosen: string; choose: (id: string) => void }) {
  const t = phoneTexts.value
  const there = list.filter((one) => one.deviceId !== 'default' && one.deviceId !== 'communications')
  return (
    <Field label={label}>
      {(id) => (
        <select id={id} value={there.some((one) => one.deviceId === chosen) ? chosen : ''} onChange={(event) => choose(event.currentTarget.value)}>
          <option value="">{t.usual}</option>
          {there.map((one, n) => <option key={one.deviceId} value={one.deviceId}>{one.label || t.nameless(n + 1)}</option>)}
        </select>
      )}
    </Field>
  )
}
