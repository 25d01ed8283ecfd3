// The recordings of conversations that somebody may listen to, newest first.
import { useEffect, useState } from 'preact/hooks'
import { recordings } from './api'
import { Icon } from './icons'
import { ListenButton, Player } from './Listen'
import { agentName, municipalityName, topicName } from './names'
import { Dialog } from './parts'
import type { Recording } from './protocol'
import { recordingTexts } from './texts.recordings'
import { clock, day, moment } from './time'
import { sayError, words } from './words'

/** As many as come at once. */
const PAGE = 200

export function RecordingsDialog({ onClose }: { onClose: () => void }) {
  const t = recordingTexts.value
  const [list, setList] = useState<Recording[] | null>(null)
  const [error, setError] = useState('')
  const [more, setMore] = useState(false)
  const read = (before: number): void => void recordings(before).then(
    (found) => {
      setList((list) => [...(list ?? []), ...found])
      setMore(found.length >= PAGE)
    },
    (problem) => setError(sayError(problem)),
  )
  useEffect(() => read(0), [])
  return (
    <Dialog title={t.title} wide onClose={onClose} testid="recordings-dialog">
      <div class="stack">
        <p class="muted">{t.about}</p>
        {error && <p class="alert alert-action" role="alert"><Icon name="action" /> {error}</p>}
        {!list && !error && <p class="muted" role="status">{words.value.loading}</p>}
        {list?.length === 0 && <p class="alert alert-ok"><Icon name="ok" /> {t.none}</p>}
        {!!list?.length && (
          <div class="scroll" tabIndex={0} role="group" aria-label={t.title}>
            <table class="table recordings">
              <thead><tr><th scope="col">{t.when}</th><th scope="col">{t.with}</th><th scope="col" class="figure">{t.length}</th><th scope="col">{t.until}</th><th scope="col"><span class="visually-hidden">{t.listen}</span></th></tr></thead>
              <tbody>{list.map((one) => <Row key={`${one.contact}-${one.number}`} one={one} />)}</tbody>
            </table>
          </div>
        )}
        {more && <p><button type="button" onClick={() => read(list![list!.length - 1]!.started_at)}>{t.older}</button></p>}
      </div>
    </Dialog>
  )
}

function Row({ one }: { one: Recording }) {
  const t = recordingTexts.value
  const [heard, hear] = useState(false)
  const when = moment(one.started_at)
  const label = t.recordingOf(when)
  return (
    <>
      <tr data-testid="recording" data-contact={one.contact}>
        <th scope="row"><span class="number">{when}</span><br /><span class="small muted">{topicName(one.topic)} · {municipalityName(one.municipality)}<br />{t.reference(one.contact)}</span></th>
        <td>{one.agents.map(agentName).join(', ')}</td>
        <td class="figure number">{clock(one.seconds)}{one.pauses > 0 && <><br /><span class="small muted">{t.pauses(one.pauses)}</span></>}</td>
        <td class="number">{day(one.keep_until)}</td>
        <td class="figure">{!heard && <ListenButton label={label} onClick={() => hear(true)} />}</td>
      </tr>
      {heard && <tr><td colSpan={5}><Player parts={one.parts} label={label} /></td></tr>}
    </>
  )
}
