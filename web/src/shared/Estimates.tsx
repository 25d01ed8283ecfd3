// What the router expects of whom, with the numbers behind it; a supervisor can switch each of them off.
import { useEffect, useState } from 'preact/hooks'
import { estimates, switchEstimates } from './api'
import { dictionary, locale } from './i18n'
import { Icon } from './icons'
import { agentName, topicName } from './names'
import { Field, SendForm } from './parts'
import type { Estimate, EstimateList } from './protocol'
import { sayError, words } from './words'

const nl = {
  basis: {
    '': 'Er zijn nu geen inschattingen: de router gaat uit van de niveaus in de configuratie.',
    off: 'Er wordt niet geleerd: kansen volgen uit de niveaus in de configuratie; alleen tijden en drukte zijn gemeten.',
    team: 'De kansen rusten op uitkomsten per niveau van het team, niet op die van één persoon.',
    person: 'De kansen rusten op uitkomsten per persoon.',
  },
  reason: (why: string) => `Vastgelegde reden: ${why}`,
  published: (at: string) => `Gemaakt op ${at}.`,
  explain: 'Kans dat een vraag in één keer wordt afgehandeld. Met 80% zekerheid ligt zij tussen de grenzen erachter; bij weinig uitkomsten (n) trekt zij naar het gemiddelde van het niveau.',
  allOff: 'Alle inschattingen staan uit: de router gaat uit van de niveaus.',
  who: 'Wie', level: 'Niveau', chance: 'Kans', n: 'n', time: 'Tijd', state: 'Stand',
  levelOf: (level: number, agents: number) => `Niveau ${level} (${agents} ${agents === 1 ? 'medewerker' : 'medewerkers'})`,
  me: 'U',
  between: (low: string, high: string) => `${low}–${high}`,
  price: (price: string) => `schaarste ${price}`,
  reserve: 'wachten op een betere medewerker kan lonen',
  on: 'aan', off: 'uit',
  switchOff: 'Uitzetten', switchOn: 'Aanzetten',
  switchAllOff: 'Alles uitzetten', switchAllOn: 'Alles aanzetten',
  switchTopic: (topic: string, on: boolean) => `${topic} ${on ? 'aanzetten' : 'uitzetten'}`,
  switchOne: (who: string, topic: string, on: boolean) => `${who} op ${topic} ${on ? 'aanzetten' : 'uitzetten'}`,
  why: 'Waarom? (wordt vastgelegd)',
  offBy: (what: string, who: string, at: string) => `${what}: uitgezet door ${who}, ${at}`,
  everything: 'Alles',
  seconds: (n: number) => `${Math.round(n / 60)} min`,
  none: 'Voor geen enkel onderwerp is iemand in de configuratie te vinden.',
}

const texts = dictionary<typeof nl>({
  nl,
  en: {
    basis: {
      '': 'There are no estimates now: the router goes by the levels in the configuration.',
      off: 'Nothing is learned: chances follow from the levels in the configuration; only times and demand are measured.',
      team: 'The chances rest on outcomes per level of the team, not on those of a single person.',
      person: 'The chances rest on outcomes per person.',
    },
    reason: (why) => `Recorded reason: ${why}`,
    published: (at) => `Made at ${at}.`,
    explain: 'Chance that a question is settled in one go. With 80% certainty it lies between the bounds behind it; with few outcomes (n) it leans to the mean of the level.',
    allOff: 'All estimates are off: the router goes by the levels.',
    who: 'Who', level: 'Level', chance: 'Chance', n: 'n', time: 'Time', state: 'State',
    levelOf: (level, agents) => `Level ${level} (${agents} ${agents === 1 ? 'agent' : 'agents'})`,
    me: 'You',
    between: (low, high) => `${low}–${high}`,
    price: (price) => `scarcity ${price}`,
    reserve: 'waiting for a better agent can pay',
    on: 'on', off: 'off',
    switchOff: 'Switch off', switchOn: 'Switch on',
    switchAllOff: 'Switch all off', switchAllOn: 'Switch all on',
    switchTopic: (topic, on) => `Switch ${on ? 'on' : 'off'} ${topic}`,
    switchOne: (who, topic, on) => `Switch ${on ? 'on' : 'off'} ${who} on ${topic}`,
    why: 'Why? (is recorded)',
    offBy: (what, who, at) => `${what}: switched off by ${who}, ${at}`,
    everything: 'Everything',
    seconds: (n) => `${Math.round(n / 60)} min`,
    none: 'Nobody in the configuration takes any topic.',
  },
})

interface Target {
  topic: string
  agent: string
  on: boolean
}

const percent = (part: number): string =>
  new Intl.NumberFormat(locale.value, { style: 'percent', maximumFractionDigits: 0 }).format(part / 10_000)
const moment = (at: number): string => new Intl.DateTimeFormat(locale.value, { dateStyle: 'medium', timeStyle: 'short' }).format(at)

export function Estimates({ mayswitch = false }: { mayswitch?: boolean }) {
  const t = texts.value
  const [list, setList] = useState<EstimateList | null>(null)
  const [error, setError] = useState('')
  const [target, choose] = useState<Target | null>(null)
  useEffect(() => {
    estimates().then(setList, (problem) => setError(sayError(problem)))
  }, [])
  if (error) return <p class="alert alert-action" role="alert">{error}</p>
  if (!list) return <p class="muted">{words.value.loading}</p>
  const toggle = (topic: string, agent: string, on: boolean, label: string, name: string) =>
    mayswitch && <button type="button" class="small" aria-label={name} aria-expanded={target?.topic === topic && target.agent === agent} onClick={() => choose({ topic, agent, on })}>{label}</button>
  const form = (topic: string, agent: string) =>
    target && target.topic === topic && target.agent === agent && (
      <SwitchForm key={`${topic}/${agent}`} target={target} cancel={() => choose(null)} done={(next) => { setList(next); choose(null) }} />
    )
  return (
    <div class="stack" data-testid="estimates">
      <p>{t.basis[list.basis]} {list.learning === 'person' && list.learning_reason && t.reason(list.learning_reason)} {list.published_at > 0 && <span class="muted">{t.published(moment(list.published_at))}</span>}</p>
      <p class="small muted">{t.explain}</p>
      {!list.on && <p class="alert alert-attention"><Icon name="attention" />{t.allOff}</p>}
      {list.off.length > 0 && (
        <ul class="small bullets" data-testid="switched-off">
          {list.off.map((one) => (
            <li key={`${one.topic}/${one.agent}`}>{t.offBy([one.topic ? topicName(one.topic) : t.everything, one.agent && agentName(one.agent)].filter(Boolean).join(', '), agentName(one.by), moment(one.at))}{one.why && `: ${one.why}`}</li>
          ))}
        </ul>
      )}
      {mayswitch && list.basis !== '' && <p>{toggle('', '', !list.on, list.on ? t.switchAllOff : t.switchAllOn, list.on ? t.switchAllOff : t.switchAllOn)}</p>}
      {mayswitch && list.basis === '' && !list.on && <p>{toggle('', '', true, t.switchAllOn, t.switchAllOn)}</p>}
      {form('', '')}
      {list.topics.length === 0 && <p class="muted">{t.none}</p>}
      {list.topics.map((one) => (
        <section key={one.topic} class="stack" aria-labelledby={`estimates-${one.topic}`} data-testid="estimate-topic" data-topic={one.topic}>
          <div class="row">
            <h3 id={`estimates-${one.topic}`}>{topicName(one.topic)}</h3>
            {one.price !== 0 && <span class="tag">{t.price(percent(one.price))}</span>}
            {one.reserve && <span class="tag tag-primary">{t.reserve}</span>}
            {!one.on && list.on && <span class="tag tag-attention">{t.off}</span>}
            {list.on && list.basis !== '' && toggle(one.topic, '', !one.on, one.on ? t.switchOff : t.switchOn, t.switchTopic(topicName(one.topic), !one.on))}
          </div>
          {form(one.topic, '')}
          <Rows topic={one.topic} rows={one.estimates} mayswitch={mayswitch} each={(row) => one.on && toggle(one.topic, row.agent, !row.on, row.on ? t.switchOff : t.switchOn, t.switchOne(agentName(row.agent), topicName(one.topic), !row.on))} />
          {one.estimates.map((row) => row.agent && form(one.topic, row.agent))}
        </section>
      ))}
    </div>
  )
}

function Rows({ topic, rows, mayswitch, each }: { topic: string; rows: Estimate[]; mayswitch: boolean; each: (row: Estimate) => preact.ComponentChildren }) {
  const t = texts.value
  const personal = mayswitch && rows.some((row) => row.agent)
  return (
    <div class="scroll" tabIndex={0} role="group" aria-labelledby={`estimates-${topic}`}>
      <table class="table">
        <thead>
          <tr><th scope="col">{t.who}</th><th scope="col" class="figure">{t.chance}</th><th scope="col" class="figure">80%</th><th scope="col" class="figure">{t.n}</th><th scope="col" class="figure">{t.time}</th>{personal && <th scope="col">{t.state}</th>}</tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.agent}${row.level}`} class={row.on ? '' : 'muted'}>
              <th scope="row">{row.agent ? `${agentName(row.agent)}, ${t.level.toLowerCase()} ${row.level}` : t.levelOf(row.level, row.agents)}</th>
              <td class="figure number"><strong>{percent(row.chance)}</strong></td>
              <td class="figure number">{row.low < row.high ? t.between(percent(row.low), percent(row.high)) : '–'}</td>
              <td class="figure number">{row.answered}</td>
              <td class="figure number">{row.seconds ? t.seconds(row.seconds) : '–'}</td>
              {personal && <td>{row.on ? t.on : t.off} {each(row)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function SwitchForm({ target, cancel, done }: { target: Target; cancel: () => void; done: (list: EstimateList) => void }) {
  const t = texts.value
  return (
    <SendForm
      class="stack switch-form"
      action={target.on ? t.switchOn : t.switchOff}
      onCancel={cancel}
      send={async (data) => done(await switchEstimates(target.on, target.topic, target.agent, `${data.get('why')}`.trim()))}
    >
      <Field label={t.why}>{(id) => <input id={id} name="why" required minLength={3} maxLength={500} pattern=".*\S.*" autocomplete="off" autofocus ref={(element) => element?.focus()} />}</Field>
    </SendForm>
  )
}
