// Who does what, for supervisors: state and time in it, and a way to change somebody's presence.
import { useState } from 'preact/hooks'
import { Icon } from '../shared/icons'
import { titled } from '../shared/i18n'
import { centre, reasonName } from '../shared/names'
import { Dialog, Field, SendForm } from '../shared/parts'
import type { Channel, Listening, Person, Presence } from '../shared/protocol'
import { session } from '../shared/session'
import { clock, now } from '../shared/time'
import { words } from '../shared/words'
import { STATE_ICONS, STATES } from './Figures'
import { listen, setPresence } from './store'
import { texts } from './texts'

export function People({ people }: { people: Person[] }) {
  const t = texts.value
  const [chosen, choose] = useState<Person | null>(null)
  const [heard, hear] = useState<string | null>(null)
  const listened = people.find((one) => one.agent === heard)
  const sorted = [...people].sort((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state) || a.name.localeCompare(b.name))
  return (
    <section class="panel" aria-labelledby="people-title">
      <h2 id="people-title">{t.people}</h2>
      <div class="scroll" tabIndex={0} role="group" aria-labelledby="people-title">
        <table class="table" data-testid="people">
          <thead><tr><th scope="col">{t.name}</th><th scope="col">{t.state}</th><th scope="col" class="figure">{t.since}</th><th scope="col">{t.busyWith}</th><th scope="col"><span class="visually-hidden">{t.set}</span></th></tr></thead>
          <tbody>
            {sorted.map((one) => (
              <tr key={one.agent} data-testid="person" data-agent={one.agent} data-state={one.state}>
                <th scope="row">{one.name}</th>
                <td><span class={`tag person-${one.state}`}><Icon name={STATE_ICONS[one.state]} />{words.value.personStates[one.state]}</span>{one.reason && <span class="small muted"> {reasonName(one.reason)}</span>}<TelephoneTag person={one} /></td>
                <td class="figure number">{one.since > 0 ? clock((now.value - one.since) / 1000) : <span class="muted">{t.noneYet}</span>}</td>
                <td>{Object.entries(one.contacts).filter(([, n]) => n).map(([channel, n]) => `${n} ${words.value.channels[channel as Channel].toLowerCase()}`).join(', ')}{Object.values(one.listeners).map((mode) => <span key={mode} class="tag tag-attention"><Icon name="phone" />{t.listening[mode]}</span>)}</td>
                <td class="figure"><button type="button" class="small" aria-label={t.setFor(one.name)} onClick={() => choose(one)}>{t.set}</button>{(one.contacts.phone ?? 0) > 0 && one.state === 'busy' && <button type="button" class="small" data-testid="listen" aria-label={t.listenTo(one.name)} onClick={() => hear(one.agent)}>{t.listen}</button>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {listened && <ListenDialog person={listened} onClose={() => hear(null)} />}
      {chosen && <PresenceDialog person={chosen} onClose={() => choose(null)} />}
    </section>
  )
}

/** Why somebody gets no calls, when it is their telephone. */
function TelephoneTag({ person }: { person: Person }) {
  const t = texts.value
  if (person.state === 'signed_off' || person.telephone === 'free') return null
  const away = person.telephone === 'unregistered'
  return <> <span class={`tag ${away ? 'tag-attention' : ''}`}><Icon name={away ? 'attention' : 'phone'} />{t.telephones[person.telephone]}</span></>
}

function PresenceDialog({ person, onClose }: { person: Person; onClose: () => void }) {
  const t = texts.value
  const busy = Object.values(person.contacts).some(Boolean)
  const [presence, setChoice] = useState<Presence>(person.state === 'paused' || person.state === 'signed_off' ? 'ready' : 'paused')
  return (
    <Dialog title={t.setFor(person.name)} onClose={onClose} testid="presence-dialog">
      <SendForm
        action={words.value.save}
        onCancel={onClose}
        send={async (data) => {
          // Who has work in hand finishes that first; their desk then signs them off.
          const later = presence === 'signed_off' && busy
          await setPresence(person.agent, later ? 'paused' : presence, later ? 'end_of_shift' : presence === 'paused' ? `${data.get('reason') ?? ''}` : '')
          onClose()
        }}
      >
        <fieldset>
          <legend>{t.presence}</legend>
          {(['ready', 'paused', 'signed_off'] as const).map((one) => (
            <label key={one} class="option"><input type="radio" name="presence" checked={presence === one} onChange={() => setChoice(one)} />{words.value.personStates[one]}</label>
          ))}
        </fieldset>
        {presence === 'signed_off' && busy && <p class="hint">{t.signedOffLater}</p>}
        {presence === 'paused' && (
          <Field label={t.whichReason}>
            {(id) => <select id={id} name="reason">{(centre.value?.pause_reasons ?? []).map((one) => <option key={one.id} value={one.id}>{titled(one.title, one.id)}</option>)}</select>}
          </Field>
        )}
      </SendForm>
    </Dialog>
  )
}

const MODES = ['listen', 'whisper', 'barge'] as const

/** Takes part in the agent's call by the supervisor's own telephone: it rings, and picking up joins. */
function ListenDialog({ person, onClose }: { person: Person; onClose: () => void }) {
  const t = texts.value
  const mine = person.listeners[session.value?.agent || session.value?.user || '']
  const [mode, setMode] = useState<Listening>(mine ?? 'listen')
  return (
    <Dialog title={t.listenTo(person.name)} onClose={onClose} testid="listen-dialog">
      <SendForm action={mine ? words.value.save : t.ringMe} onCancel={onClose} send={() => listen(person.agent, mode).then(onClose)}>
        <p class="muted">{mine ? t.listeningNow : t.listenText}</p>
        <fieldset>
          <legend>{t.listenHow}</legend>
          {MODES.map((one) => <label key={one} class="option"><input type="radio" name="mode" checked={mode === one} onChange={() => setMode(one)} />{t.listenModes[one]}</label>)}
        </fieldset>
        {mine && <button type="button" class="danger" data-testid="stop-listening" onClick={() => void listen(person.agent, '').then(onClose)}>{t.stopListening}</button>}
      </SendForm>
    </Dialog>
  )
}
