// "Waarom ik?": a recorded decision in words.
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { excludedInWords } from '../shared/decisions'
import { agentName, topicName } from '../shared/names'
import type { Decision } from '../shared/protocol'
import { timeOfDay, timeWithSeconds } from '../shared/time'
import { sayError } from '../shared/words'
import { why } from './actions'
import { desk } from './store'
import { texts } from './texts'

export function Why({ contact }: { contact: string }) {
  const t = texts.value
  const [decisions, setDecisions] = useState<Decision[] | null>(null)
  const [error, setError] = useState('')
  const answer = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => answer.current?.focus(), [decisions])
  const ask = (): void => {
    why(contact).then(setDecisions, (problem) => setError(sayError(problem)))
  }
  if (error) return <p class="alert alert-action" role="alert">{error}</p>
  if (!decisions) return <button type="button" class="link" data-testid="why" onClick={ask}>{t.whyShow}</button>
  if (!decisions.length) return <p class="muted">{t.whyNone}</p>
  const me = desk.value?.agent.id ?? ''
  return (
    <div class="why" tabIndex={-1} ref={answer} data-testid="why-answer">
      {[...decisions].reverse().map((one) => <DecisionInWords key={one.offer} decision={one} me={me} />)}
    </div>
  )
}

function DecisionInWords({ decision, me }: { decision: Decision; me: string }) {
  const t = texts.value
  const who = (agent: string): string => (agent === me ? t.whyMe : agentName(agent))
  const best = decision.candidates.find((one) => one.agent === decision.chosen)
  const others = decision.candidates.filter((one) => one.agent !== decision.chosen)
  const needs = Object.entries(decision.needs).map(([skill, level]) => t.whyNeed(skill, level))
  const excluded = excludedInWords(decision.excluded)
  const expected = (one: Decision['candidates'][number]): string => (one.chance ? t.whyChance(Math.round(one.chance / 100), Math.round(one.score / 100)) : '')
  return (
    <div class="decision">
      <p><strong>{decision.chosen === me ? t.whyYou(timeWithSeconds(decision.at)) : t.whyOther(agentName(decision.chosen), timeWithSeconds(decision.at))}</strong></p>
      <p>{needs.length ? t.whyNeeds(topicName(decision.topic), needs.join(', ')) : t.whyNoNeeds(topicName(decision.topic))}</p>
      {best && <p>{t.whyBest(who(best.agent), best.level, timeOfDay(best.idle_since))} {expected(best)}</p>}
      {decision.step > 0 && <p>{t.whyWidened(decision.step)}</p>}
      {decision.reserved_until > 0 && <p>{t.whyReserved(timeWithSeconds(decision.reserved_until))}</p>}
      {others.length > 0
        ? <><p>{t.whyRunnersUp}</p><ul class="bullets">{others.map((one) => <li key={one.agent}>{t.whyBest(who(one.agent), one.level, timeOfDay(one.idle_since))} {expected(one)}</li>)}</ul></>
        : <p>{t.whyAlone}</p>}
      {excluded.length > 0 && <p>{t.whyExcluded} {excluded.join(', ')}.</p>}
      <p class="small muted">{t.whyRule(t.rules[decision.rule] ?? decision.rule)} {t.whyEngine(decision.engine, decision.configuration)}</p>
    </div>
  )
}
