// Something that was spoken: nothing of it is read, and no look recorded, before somebody wants to hear it.
import { useEffect, useRef, useState } from 'preact/hooks'
import { readDocument } from './api'
import { Icon } from './icons'
import { recordingTexts } from './texts.recordings'
import { sayError, words } from './words'

/** `label` says what it is. */
export const ListenButton = ({ label, onClick }: { label: string; onClick: () => void }) => (
  <button type="button" class="small" data-testid="listen-to" onClick={onClick}><Icon name="play" />{recordingTexts.value.listen}<span class="visually-hidden">: {label}</span></button>
)

export function Listen({ parts, label }: { parts: string[]; label: string }) {
  const [heard, hear] = useState(false)
  return heard ? <Player parts={parts} label={label} /> : <ListenButton label={label} onClick={() => hear(true)} />
}

/** Begins at once. `parts` are documents, heard one after the other. */
export function Player({ parts, label }: { parts: string[]; label: string }) {
  const [part, setPart] = useState(0)
  const [address, setAddress] = useState('')
  const [error, setError] = useState('')
  const audio = useRef<HTMLAudioElement>(null)
  const ref = parts[part]!
  useEffect(() => {
    let mine = ''
    let gone = false
    readDocument(ref).then(
      (sound) => {
        if (gone) return
        mine = URL.createObjectURL(sound)
        setAddress(mine)
      },
      (problem) => setError(sayError(problem)),
    )
    return () => {
      gone = true
      URL.revokeObjectURL(mine)
    }
  }, [ref])
  // The button that was pressed is gone: the keyboard goes on at the player.
  useEffect(() => audio.current?.focus(), [address === ''])
  return (
    <div class="listen" data-testid="player">
      {error ? <p class="alert alert-action" role="alert"><Icon name="action" /> {error}</p> : !address && <p class="small muted" role="status">{words.value.loading}</p>}
      {address && <audio ref={audio} controls autoplay src={address} aria-label={label} onEnded={() => part + 1 < parts.length && setPart(part + 1)} />}
      {parts.length > 1 && <p class="small muted number">{recordingTexts.value.part(part + 1, parts.length)}</p>}
    </div>
  )
}
