// Who does what, for supervisors: state and time in it, and a way to change somebody's presence.
import { useState } from 'preact/hooks'
import { Icon } from '../shared/icons'
import { titled } from '../shared/i18n'
import { centre, reasonName } from '../shared/names'
import { Dialog, Field, SendForm } from '../shared/parts'
import type { Channel, Person, Presence } from '../shared/protocol'
import { clock, now } from '../shared/time'
import { words } from '../shared/words'
import { STATE_ICONS, STATES } from './Figures'
import { setPresence } from './store'
import { texts } from './texts'

export function People({ people }: { people: Person[] }) {
  const t = texts.value
  const [chosen, choose] = useState<Person | null>(null)
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
                <td><span class={`tag person-${one.state}`}><Icon name={STATE_ICONS[one.state]} />{words.value.personStates[one.state]}</span>{one.reason && <span class="small muted"> {reasonName(one.reason)}</span>}</td>
                <td class="figure number">{one.since > 0 ? clock((now.value - one.since) / 1000) : <span class="muted">{t.noneYet}</span>}</td>
                <td>{Object.entries(one.contacts).filter(([, n]) => n).map(([channel, n]) => `${n} ${words.value.channels[channel as Channel].toLowerCase()}`).join(', ')}</td>
                <td class="figure"><button type="button" class="small" aria-label={t.setFor(one.name)} onClick={() => choose(one)}>{t.set}</button></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {chosen && <PresenceDialog person={chosen} onClose={() => choose(null)} />}
    </section>
  )
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
