// The questions of a contact: what the citizen asks, what they ask as well, and how each of those was settled.
import { useRef, useState } from 'preact/hooks'
import { Icon } from '../shared/icons'
import { titled } from '../shared/i18n'
import { centre, topicName } from '../shared/names'
import { Field } from '../shared/parts'
import type { InHand } from '../shared/protocol'
import { words } from '../shared/words'
import { addQuestion } from './actions'
import { ariaKeys, keyName } from './shortcuts'
import { asking, type, typedIn } from './store'
import { texts } from './texts'

/** The questions so far, and a way to add one: a topic and Enter. */
export function Questions({ one }: { one: InHand }) {
  const t = texts.value
  const [topic, setTopic] = useState('')
  const opener = useRef<HTMLButtonElement>(null)
  const open = asking.value === one.contact
  const asked = [one.topic, ...one.further]
  const topics = (centre.value?.topics ?? []).filter((item) => !asked.includes(item.id))
  const close = (): void => {
    asking.value = ''
    setTopic('')
    opener.current?.focus()
  }
  return (
    <div class="questions" data-testid="questions">
      {asked.length > 1 && (
        <ul aria-label={t.questions}>{asked.map((id) => <li key={id} class="tag">{topicName(id)}</li>)}</ul>
      )}
      <button
        type="button" class="small" ref={opener} aria-expanded={open} data-testid="ask-also" title={keyName('question')} aria-keyshortcuts={ariaKeys('question')}
        onClick={() => (asking.value = open ? '' : one.contact)}
      >
        <Icon name="chat" />{t.askAlso}
      </button>
      {open && (
        <form
          class="row"
          onKeyDown={(event) => event.key === 'Escape' && close()}
          onSubmit={(event) => {
            event.preventDefault()
            if (topic) void addQuestion(one.contact, topic).then((done) => done && close())
          }}
        >
          <Field label={t.askAlsoTopic}>
            {(id) => (
              <select id={id} name="question" required value={topic} ref={(box) => { if (box && !topic) box.focus() }} onChange={(event) => setTopic(event.currentTarget.value)}>
                <option value="">{t.choose}</option>
                {topics.map((item) => <option key={item.id} value={item.id}>{titled(item.title, item.id)}</option>)}
              </select>
            )}
          </Field>
          <button type="submit" class="primary">{t.askAlsoAdd}</button>
        </form>
      )}
    </div>
  )
}

/** How a further question was settled: yes, no, or it was not asked after all. */
export function FurtherOutcome({ contact, topic, missing }: { contact: string; topic: string; missing: boolean }) {
  const t = texts.value
  const { answers } = typedIn(contact)
  const title = `further-${topic}`
  const lacking = missing && answers[topic] === undefined
  return (
    <fieldset role="radiogroup" aria-required="true" aria-labelledby={title} class={lacking ? 'resolved resolved-missing' : 'resolved'} data-testid="further">
      <legend id={title}>{t.furtherResolved(topicName(topic))}</legend>
      <div class="row">
        {([true, false, null] as const).map((answer) => (
          <label key={`${answer}`} class="option option-box">
            <input type="radio" name={title} checked={answers[topic] === answer} onChange={() => type(contact, { answers: { ...answers, [topic]: answer } })} />
            {answer === null ? t.notAsked : answer ? words.value.yes : words.value.no}
          </label>
        ))}
      </div>
      <p class="field-error" role="alert">{lacking && <><Icon name="action" /> {t.resolvedMissing}</>}</p>
    </fieldset>
  )
}
