// Documents that came with a contact: read through the server (which records the look) and shown beside the work.
import { useEffect, useState } from 'preact/hooks'
import { documentAddress, readDocument } from '../shared/api'
import { Icon } from '../shared/icons'
import { locale } from '../shared/i18n'
import { Dialog } from '../shared/parts'
import type { Attachment } from '../shared/protocol'
import { sayError, words } from '../shared/words'
import { texts } from './texts'

const size = (bytes: number): string =>
  bytes < 1000 ? `${bytes} bytes` : new Intl.NumberFormat(locale.value, { maximumFractionDigits: 1 }).format(bytes < 1e6 ? bytes / 1e3 : bytes / 1e6) + (bytes < 1e6 ? ' kB' : ' MB')

const showable = (one: Attachment): boolean => one.type === 'application/pdf' || /^image\/(png|jpeg|gif|webp)$/.test(one.type)

const Download = ({ one }: { one: Attachment }) => (
  <a class="button small" href={documentAddress(one.ref)} download={one.name}>{texts.value.download}<span class="visually-hidden">: {one.name}</span></a>
)

/** A letter: the first document is open at once, beside its list. */
export function Documents({ attachments, unreadable, open }: { attachments: Attachment[]; unreadable: string; open?: boolean }) {
  const t = texts.value
  const [chosen, choose] = useState<Attachment | null>(open ? (attachments.find(showable) ?? null) : null)
  return (
    <section class="documents" aria-label={t.documents}>
      {unreadable && <p class="alert alert-attention"><Icon name="attention" />{t.unreadable}</p>}
      <ul class="document-list">
        {attachments.map((one) => (
          <li key={one.ref} class="row">
            {showable(one)
              ? <button type="button" class={chosen?.ref === one.ref ? 'chosen' : ''} aria-pressed={chosen?.ref === one.ref} onClick={() => choose(one)}><Icon name="post" />{one.name}</button>
              : <span><Icon name="attach" /> {one.name}</span>}
            <span class="small muted number">{size(one.size)}</span>
            <Download one={one} />
          </li>
        ))}
      </ul>
      {chosen && <Viewer key={chosen.ref} one={chosen} />}
    </section>
  )
}

function Viewer({ one }: { one: Attachment }) {
  const t = texts.value
  const [address, setAddress] = useState('')
  const [error, setError] = useState('')
  useEffect(() => {
    let mine = ''
    let gone = false
    readDocument(one.ref).then(
      (bytes) => {
        if (gone) return
        mine = URL.createObjectURL(new Blob([bytes], { type: one.type }))
        setAddress(mine)
      },
      (problem) => setError(sayError(problem)),
    )
    return () => {
      gone = true
      if (mine) URL.revokeObjectURL(mine)
    }
  }, [one.ref])
  if (error) return <p class="alert alert-action" role="alert"><Icon name="action" />{error}</p>
  if (!address) return <p class="muted pad" role="status">{words.value.loading}</p>
  const name = `${t.document}: ${one.name}`
  return one.type === 'application/pdf'
    ? <iframe class="viewer" title={name} src={`${address}#navpanes=0&view=FitH`} data-testid="document" />
    : <div class="viewer viewer-image" tabIndex={0} data-testid="document"><img src={address} alt={name} /></div>
}

/** Attachments of a mail or form; those that can be shown open in a dialog. */
export function Attachments({ attachments }: { attachments: Attachment[] }) {
  const t = texts.value
  const [chosen, choose] = useState<Attachment | null>(null)
  return (
    <div class="attachments">
      <h3 class="small">{t.attachments}</h3>
      <ul>
        {attachments.map((one) => (
          <li key={one.ref} class="row">
            <Icon name="attach" /><span>{one.name}</span><span class="small muted number">{size(one.size)}</span>
            {showable(one) && <button type="button" class="small" onClick={() => choose(one)}>{t.show}<span class="visually-hidden">: {one.name}</span></button>}
            <Download one={one} />
          </li>
        ))}
      </ul>
      {chosen && <Dialog title={chosen.name} wide onClose={() => choose(null)}><Viewer one={chosen} /></Dialog>}
    </div>
  )
}
