// Whether this conversation is being recorded: always in words, with the ways to pause and to stop it beside them.
import { Icon } from '../shared/icons'
import { Dialog, SendForm } from '../shared/parts'
import type { InHand } from '../shared/protocol'
import { dropRecording, record } from './actions'
import { openDialog } from './store'
import { texts } from './texts'

export function RecordingBar({ one }: { one: InHand }) {
  const t = texts.value
  if (!one.recording) return null
  const on = one.recording === 'on'
  return (
    <div class={`recording recording-${one.recording}`} role="group" aria-label={t.recording} data-testid="recording-bar" data-recording={one.recording}>
      <Icon name={on ? 'record' : one.recording === 'paused' ? 'pause' : 'quiet'} />
      <p class="grow" role="status">{t.recordings[one.recording]}</p>
      {on && <button type="button" data-testid="pause-recording" onClick={() => void record('pause_recording', one.contact)}><Icon name="pause" />{t.pauseRecording}</button>}
      {one.recording === 'paused' && <button type="button" class="primary" data-testid="resume-recording" onClick={() => void record('resume_recording', one.contact)}><Icon name="record" />{t.resumeRecording}</button>}
      {one.recording !== 'dropped' && <button type="button" data-testid="drop-recording" onClick={() => (openDialog.value = 'drop-recording')}>{t.dropRecording}</button>}
    </div>
  )
}

export function DropRecordingDialog({ one }: { one: InHand }) {
  const t = texts.value
  const shut = (): void => void (openDialog.value = null)
  return (
    <Dialog title={t.dropRecordingTitle} onClose={shut} testid="drop-recording-dialog">
      <SendForm action={t.dropRecordingNow} danger onCancel={shut} send={() => dropRecording(one.contact).then(shut)}>
        <p>{t.dropRecordingText}</p>
      </SendForm>
    </Dialog>
  )
}
