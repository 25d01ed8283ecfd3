// The conversation itself, until and after its end.
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { VisitorMessage } from '../shared/protocol'
import { hasBsn } from './bsn'
import { BsnWarning } from './BsnWarning'
import type { Shared } from './chat'
import { sayRefusal } from './Intro'

const time = (at: number, language: string): string =>
  new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : 'nl-NL', { hour: '2-digit', minute: '2-digit' }).format(at)

export function Talk({ shared }: { shared: Shared }) {
  const { chat, t } = shared
  const [ending, setEnding] = useState(false)
  const log = useRef<HTMLDivElement>(null)
  const state = chat.status.value
  const over = chat.phase.value === 'ended'
  const count = chat.messages.value.length + chat.pending.value.length
  useLayoutEffect(() => {
    const box = log.current
    if (box) box.scrollTop = box.scrollHeight
  }, [count, chat.typing.value, chat.isShown.value, ending])
  const line = over ? t.ended
    : state.state === 'active' ? (state.agent_name ? t.active(state.agent_name) : t.activeNoName)
      : state.position ? t.position(state.position) : t.waiting
  return (
    <>
      <p class={`status status-${over ? 'ended' : state.state}`} role="status" data-testid="chat-status">{line}</p>
      <div class="log" ref={log} role="log" aria-label={t.messages} tabIndex={0}>
        {chat.messages.value.map((one) => <Bubble key={one.number} one={one} shared={shared} />)}
        {chat.pending.value.map((one) => (
          <div key={one.message} class="bubble mine waiting" aria-live="off" data-testid="pending">
            <p class="text" dir="auto">{one.text}</p>
            {one.failed
              ? <p class="meta failed">{t.notSent} {(one.code === 'too_many' || one.code === 'invalid') && sayRefusal(one.code, t)} <button type="button" class="link" onClick={() => void chat.deliver(one)}>{t.again}</button></p>
              : <p class="meta">{t.sending}</p>}
          </div>
        ))}
        {chat.typing.value && <p class="meta typing" aria-hidden="true">{t.typing(state.agent_name ?? '')}</p>}
      </div>
      {over ? <After shared={shared} /> : ending ? <End shared={shared} back={() => setEnding(false)} /> : <Box shared={shared} end={() => setEnding(true)} />}
    </>
  )
}

function Bubble({ one, shared: { t, language } }: { one: VisitorMessage; shared: Shared }) {
  if (one.author === 'system') return <p class="meta system">{one.text}</p>
  const mine = one.author === 'citizen'
  return (
    <div class={mine ? 'bubble mine' : 'bubble theirs'} data-number={one.number}>
      <p class="meta"><span class="from">{mine ? t.you : one.name || t.agent}</span> <time>{time(one.at, language)}</time></p>
      <p class="text" dir="auto">{one.text}</p>
    </div>
  )
}

function Box({ shared: { chat, t }, end }: { shared: Shared; end: () => void }) {
  const [text, setText] = useState('')
  const [warned, setWarned] = useState(false)
  const send = (sure: boolean): void => {
    const said = text.trim()
    if (!said) return
    if (!sure && hasBsn(said)) return setWarned(true)
    chat.send(said)
    setText('')
    setWarned(false)
  }
  return (
    <form
      class="box"
      onSubmit={(event) => {
        event.preventDefault()
        send(false)
      }}
    >
      {warned && <BsnWarning t={t} text={text} change={(covered) => { setText(covered); setWarned(false) }} send={() => send(true)} />}
      <label for="kcc-message" class="visually-hidden">{t.yourMessage}</label>
      <textarea
        id="kcc-message" dir="auto" data-focus rows={2} maxLength={4000} placeholder={t.yourMessage} aria-describedby="kcc-hint" value={text}
        onInput={(event) => {
          setText(event.currentTarget.value)
          setWarned(false)
          chat.tellTyping()
        }}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
          event.preventDefault()
          if (!event.repeat) send(false)
        }}
      />
      <p class="hint" id="kcc-hint">{t.hint}</p>
      <div class="buttons spread">
        <button type="button" class="plain" onClick={end}>{t.end}</button>
        <button type="submit" class="primary" disabled={!text.trim()}>{t.send}</button>
      </div>
    </form>
  )
}

function End({ shared: { chat, t }, back }: { shared: Shared; back: () => void }) {
  const [error, setError] = useState(false)
  const first = useRef<HTMLButtonElement>(null)
  useLayoutEffect(() => first.current?.focus(), [])
  const end = (erase: boolean): void => void chat.end(erase).catch(() => setError(true))
  return (
    <div class="box" role="group" aria-labelledby="kcc-end" data-testid="end-confirm">
      <p id="kcc-end"><strong>{t.endTitle}</strong></p>
      <p class="hint">{t.endEraseHint}</p>
      {error && <p class="error" role="alert">{t.failed}</p>}
      <div class="buttons">
        <button type="button" class="primary" ref={first} onClick={() => end(false)}>{t.endYes}</button>
        <button type="button" onClick={() => end(true)}>{t.endErase}</button>
        <button type="button" class="plain" onClick={back}>{t.back}</button>
      </div>
    </div>
  )
}

function After({ shared }: { shared: Shared }) {
  const { chat, t, language } = shared
  const save = (): void => {
    const lines = chat.messages.value.map((one) => {
      const who = one.author === 'citizen' ? t.you : one.author === 'agent' ? one.name || t.agent : ''
      return `[${time(one.at, language)}] ${who ? `${who}: ` : ''}${one.text}`
    })
    const title = t.title(chat.info.value?.name ?? t.municipality)
    const address = URL.createObjectURL(new Blob([`${title}\r\n${new Date().toLocaleDateString(language)}\r\n\r\n${lines.join('\r\n')}\r\n`], { type: 'text/plain;charset=utf-8' }))
    const link = document.createElement('a')
    link.href = address
    link.download = `${t.file}-${new Date().toISOString().slice(0, 10)}.txt`
    link.click()
    setTimeout(() => URL.revokeObjectURL(address), 10_000)
  }
  return (
    <div class="box" data-testid="chat-ended">
      {chat.status.value.helped && <Answered shared={shared} />}
      <div class="buttons">
        <button type="button" class={chat.status.value.helped ? '' : 'primary'} data-focus={chat.status.value.helped ? undefined : true} onClick={() => chat.erase(false)}>{t.newChat}</button>
        <button type="button" onClick={save}>{t.download}</button>
        <button type="button" class="plain" onClick={() => chat.erase(true)}>{t.erase}</button>
      </div>
    </div>
  )
}

/** "Is uw vraag beantwoord?", once; then, if they like, a mark. */
function Answered({ shared: { chat, t } }: { shared: Shared }) {
  const [error, setError] = useState(false)
  const [marked, setMarked] = useState(false)
  const said = chat.status.value.answered
  const tell = (answered: boolean, mark = 0): void => {
    setError(false)
    chat.answer(answered, mark).then(() => setMarked(mark > 0), () => setError(true))
  }
  return (
    <div class="answered" role="group" aria-labelledby="kcc-answered" data-testid="answered">
      <p id="kcc-answered"><strong>{t.answered}</strong></p>
      {said === null || said === undefined ? (
        <div class="buttons">
          <button type="button" class="primary" data-focus data-testid="answered-yes" onClick={() => tell(true)}>{t.yes}</button>
          <button type="button" data-testid="answered-no" onClick={() => tell(false)}>{t.no}</button>
        </div>
      ) : (
        <>
          <p role="status">{said ? t.yes : t.no}. {said ? t.thanks : t.notAnswered}</p>
          {!marked && (
            <label>
              {t.mark}
              <select data-testid="mark" value="" onChange={(event) => tell(said, Number(event.currentTarget.value))}>
                <option value="" disabled>{t.markChoose}</option>
                {[10, 9, 8, 7, 6, 5, 4, 3, 2, 1].map((mark) => <option key={mark} value={mark}>{mark}</option>)}
              </select>
            </label>
          )}
        </>
      )}
      {error && <p class="error" role="alert">{t.failed}</p>}
    </div>
  )
}
