// Before the chat: who, what about, and the question itself. Whether open or closed, a question can always be left.
import { useState } from 'preact/hooks'
import type { VisitorInfo } from '../shared/protocol'
import { Refusal } from '../shared/refusal'
import { hasBsn } from './bsn'
import { BsnWarning } from './BsnWarning'
import type { Shared } from './chat'

export function sayRefusal(code: string, t: Shared['t']): string {
  return code === 'too_many' ? t.tooMany : code === 'invalid' || code === 'too_large' ? t.invalid : t.failed
}

/** `140591` as people write it: `14 0591`. */
const spaced = (number: string): string => number.replace(/^14(?=0)/, '14 ')

/** Out of hours: when the chat opens, and how a question can be left meanwhile. */
export function Closed({ shared: { t, language }, info }: { shared: Shared; info: VisitorInfo }) {
  const opens = info.opens_at && new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : 'nl-NL', { weekday: 'long', day: 'numeric', month: 'long', hour: '2-digit', minute: '2-digit' }).format(info.opens_at)
  return (
    <div class="body intro" data-testid="closed">
      <p class="closed" role="status"><strong>{t.closed}</strong> {opens && t.opensAt(opens)}</p>
      {(info.email || info.number) && <p>{t.otherWays}</p>}
      <Ways t={t} info={info} />
    </div>
  )
}

function Ways({ t, info }: { t: Shared['t']; info: VisitorInfo }) {
  return (
    <dl class="ways">
      {info.email && <><dt>{t.byMail}</dt><dd><a href={`mailto:${info.email}`}>{info.email}</a></dd></>}
      {info.number && <><dt>{t.byPhone}</dt><dd><a href={`tel:${info.number}`}>{spaced(info.number)}</a></dd></>}
    </dl>
  )
}

export function Intro({ shared: { chat, t, language }, info }: { shared: Shared; info: VisitorInfo }) {
  const [topic, setTopic] = useState('')
  const [name, setName] = useState('')
  const [email, setEmail] = useState('')
  const [text, setText] = useState('')
  const [busy, setBusy] = useState(false)
  const [warned, setWarned] = useState(false)
  const [error, setError] = useState('')
  const [full, setFull] = useState(false)

  const start = async (sure: boolean): Promise<void> => {
    if (!text.trim() || busy) return
    if (!sure && hasBsn(text)) return setWarned(true)
    setWarned(false)
    setBusy(true)
    setError('')
    try {
      await chat.start({ topic, name: name.trim(), email: email.trim(), text: text.trim() })
    } catch (problem) {
      const code = problem instanceof Refusal ? problem.code : ''
      if (code === 'closed') await chat.look()
      setFull(code === 'full')
      setError(code === 'closed' ? t.closed : code === 'full' ? t.full : sayRefusal(code, t))
    } finally {
      setBusy(false)
    }
  }

  return (
    <form
      class="body intro"
      onSubmit={(event) => {
        event.preventDefault()
        void start(false)
      }}
    >
      <div role="status">{chat.before.value && <p class="note">{chat.before.value === 'over' ? t.over : t.erased}</p>}</div>
      <p class="opening" data-testid="opening">{t.open} {info.waiting > 0 && t.people(info.waiting)} {!info.agents_ready && t.busy}</p>
      <label for="kcc-topic">{t.topic}</label>
      <select id="kcc-topic" required value={topic} onChange={(event) => setTopic(event.currentTarget.value)}>
        <option value="">{t.chooseTopic}</option>
        {info.topics.map((one) => <option key={one.id} value={one.id}>{one.title[language] ?? one.title['nl'] ?? one.id}</option>)}
      </select>
      <label for="kcc-name">{t.name}</label>
      <input id="kcc-name" autocomplete="name" maxLength={120} value={name} onInput={(event) => setName(event.currentTarget.value)} />
      <label for="kcc-email">{t.email}</label>
      <p class="hint" id="kcc-email-hint">{t.emailHint}</p>
      <input id="kcc-email" type="email" autocomplete="email" maxLength={254} aria-describedby="kcc-email-hint" value={email} onInput={(event) => setEmail(event.currentTarget.value)} />
      <label for="kcc-question">{t.question}</label>
      <textarea id="kcc-question" dir="auto" data-focus rows={3} maxLength={4000} required value={text} onInput={(event) => { setText(event.currentTarget.value); setWarned(false) }} />
      {warned && <BsnWarning t={t} text={text} change={(covered) => { setText(covered); setWarned(false) }} send={() => void start(true)} />}
      {error && <p class="error" role="alert">{error}</p>}
      {full && <Ways t={t} info={info} />}
      <p class="hint">{t.privacy}</p>
      <button type="submit" class="primary" aria-disabled={busy}>{busy ? t.starting : t.start}</button>
    </form>
  )
}
