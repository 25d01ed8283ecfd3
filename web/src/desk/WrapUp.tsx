// After the conversation: what it was about, a note, and whether it was settled in one go. That answer has no default.
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Icon } from '../shared/icons'
import { titled } from '../shared/i18n'
import { centre } from '../shared/names'
import { Field, SendForm } from '../shared/parts'
import type { InHand } from '../shared/protocol'
import { clock, now } from '../shared/time'
import { words } from '../shared/words'
import { extendWrapUp, say, wrapUp } from './actions'
import { FurtherOutcome } from './Questions'
import { type, typedIn } from './store'
import { texts } from './texts'

const WARN_SECONDS = 20

export function WrapUp({ one, topic: classified }: { one: InHand; topic: string }) {
  const t = texts.value
  const [missing, setMissing] = useState(false)
  const heading = useRef<HTMLHeadingElement>(null)
  useLayoutEffect(() => heading.current?.focus(), [])
  const { wrapUpNote: note, wrapUpTopic: topic, resolved, answers } = typedIn(one.contact)
  const topics = centre.value?.topics ?? []
  const chosen = topic || classified
  return (
    <section class="wrap-up" aria-labelledby="wrap-up-title" data-testid="wrap-up">
      <div class="row">
        <h2 id="wrap-up-title" class="grow" tabIndex={-1} ref={heading}>{t.wrapUpTitle}</h2>
        <Deadline one={one} />
      </div>
      <SendForm
        action={t.wrapUpDone}
        send={async () => {
          const lacking = one.further.find((id) => answers[id] === undefined)
          if (resolved === null || lacking !== undefined) {
            setMissing(true)
            document.querySelector<HTMLElement>(`.wrap-up [name="${resolved === null ? 'resolved' : `further-${lacking}`}"]`)?.focus()
            return
          }
          await wrapUp(one.contact, resolved, chosen, note.trim(), answers)
          say(t.wrappedUp)
        }}
      >
        <div class="wrap-up-fields">
          <Field label={t.topic}>
            {(id) => (
              <select id={id} name="topic" value={chosen} onChange={(event) => type(one.contact, { wrapUpTopic: event.currentTarget.value })}>
                {!topics.some((item) => item.id === chosen) && <option value={chosen}>{chosen || t.choose}</option>}
                {topics.filter((item) => !one.further.includes(item.id)).map((item) => <option key={item.id} value={item.id}>{titled(item.title, item.id)}</option>)}
              </select>
            )}
          </Field>
          <Field label={t.wrapUpNote}>
            {(id) => <textarea id={id} name="note" rows={one.channel === 'chat' || one.channel === 'email' ? 2 : 4} maxLength={4000} value={note} onInput={(event) => type(one.contact, { wrapUpNote: event.currentTarget.value })} />}
          </Field>
          <fieldset role="radiogroup" aria-required="true" aria-labelledby="resolved-title" aria-describedby="resolved-hint" class={missing && resolved === null ? 'resolved resolved-missing' : 'resolved'}>
            <legend id="resolved-title">{t.resolved}</legend>
            <p class="hint" id="resolved-hint">{t.resolvedHint}</p>
            <div class="row">
              {([true, false] as const).map((answer) => (
                <label key={`${answer}`} class="option option-box">
                  <input type="radio" name="resolved" value={answer ? 'yes' : 'no'} checked={resolved === answer} onChange={() => type(one.contact, { resolved: answer })} />
                  {answer ? words.value.yes : words.value.no}
                </label>
              ))}
            </div>
            <p class="field-error" role="alert">{missing && resolved === null && <><Icon name="action" /> {t.resolvedMissing}</>}</p>
          </fieldset>
          {one.further.map((id) => <FurtherOutcome key={id} contact={one.contact} topic={id} missing={missing} />)}
        </div>
      </SendForm>
    </section>
  )
}

function Deadline({ one: { contact, wrap_up_due_at: due_at, queue, extensions_left } }: { one: InHand }) {
  const t = texts.value
  if (!due_at) return <p class="small muted">{t.wrapUpNoLimit}</p>
  const left = Math.max(0, (due_at - now.value) / 1000)
  const whole = centre.value?.queues.find((item) => item.id === queue)?.wrap_up_seconds ?? 60
  return (
    <div class="deadline">
      <p class="small number" data-testid="wrap-up-left">{t.wrapUpAuto(clock(left))}</p>
      <p role="status" class="visually-hidden">{left > 0 && left <= WARN_SECONDS ? (extensions_left > 0 ? t.wrapUpSoon : t.wrapUpSoonLast) : ''}</p>
      {extensions_left > 0 && <button type="button" class="small" data-testid="extend" onClick={() => void extendWrapUp(contact)}>{t.extend}<span class="visually-hidden"> {t.extendMore}</span></button>}
      <progress class={left < 15 ? 'urgent' : undefined} max={whole} value={Math.min(whole, left)} aria-label={t.wrapUpTime} />
    </div>
  )
}
