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

export function Intro({ shared: { chat, t, language }, info }: { shared: Shared; info: VisitorInfo }) {
  const [topic, setTopic] = useState('')
  const [name, setName] = useState('')
  const [email, setEmail] = useState('')
  const [text, setText] = useState('')
  const [busy, setBusy] = useState(false)
  const [warned, setWarned] = useState(false)
  const [error, setError] = useState('')

  const start = async (sure: boolean): Promise<void> => {
    if (!text.trim() || busy) return
    if (!sure && hasBsn(text)) return setWarned(true)
    setWarned(false)
    setBusy(true)
    setError('')
    try {
      await chat.start({ topic, name: name.trim(), email: email.trim(), text: text.trim() })
    } catch (problem) {
      setError(sayRefusal(problem instanceof Refusal ? problem.code : '', t))
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
      <p class={info.open ? 'opening' : 'opening closed'} data-testid="opening">
        {!info.open ? t.closed : <>{t.open} {info.waiting > 0 && t.people(info.waiting)} {!info.agents_ready && t.busy}</>}
      </p>
      <label for="kcc-topic">{t.topic}</label>
      <select id="kcc-topic" required value={topic} onChange={(event) => setTopic(event.currentTarget.value)}>
        <option value="">{t.chooseTopic}</option>
        {info.topics.map((one) => <option key={one.id} value={one.id}>{one.title[language] ?? one.title['nl'] ?? one.id}</option>)}
      </select>
      <label for="kcc-name">{t.name}</label>
      <input id="kcc-name" autocomplete="name" maxLength={120} value={name} onInput={(event) => setName(event.currentTarget.value)} />
      <label for="kcc-email">{info.open ? t.email : t.emailWanted}</label>
      <p class="hint" id="kcc-email-hint">{t.emailHint}</p>
      <input id="kcc-email" type="email" autocomplete="email" maxLength={254} aria-describedby="kcc-email-hint" value={email} onInput={(event) => setEmail(event.currentTarget.value)} />
      <label for="kcc-question">{t.question}</label>
      <textarea id="kcc-question" rows={3} maxLength={4000} required value={text} onInput={(event) => { setText(event.currentTarget.value); setWarned(false) }} />
      {warned && <BsnWarning t={t} text={text} change={(covered) => { setText(covered); setWarned(false) }} send={() => void start(true)} />}
      {error && <p class="error" role="alert">{error}</p>}
      <p class="hint">{t.privacy}</p>
      <button type="submit" class="primary" disabled={busy}>{busy ? t.starting : info.open ? t.start : t.leave}</button>
    </form>
  )
}
