// One row a queue: at most six figures, each against the queue's own norm.
import { useLayoutEffect, useRef } from 'preact/hooks'
import { Icon } from '../shared/icons'
import { queueName } from '../shared/names'
import type { QueueChannel, QueueFigures, Stranded } from '../shared/protocol'
import { wait } from '../shared/time'
import { words } from '../shared/words'
import { againstNorm, ICONS, normWord, percent, queueState } from './judge'
import { isTv } from './store'
import { texts } from './texts'

/** On a screen on the wall all rows stay in view: the text shrinks until they do. */
function useFit() {
  const panel = useRef<HTMLElement>(null)
  useLayoutEffect(() => {
    if (!isTv) return
    const fit = (): void => {
      const box = panel.current
      const table = box?.querySelector('table')
      if (!box || !table) return
      let size = 1.1
      do {
        size -= 0.05
        box.style.setProperty('--fit', size.toFixed(2))
      } while (size > 0.4 && (box.scrollHeight > box.clientHeight || box.scrollWidth > box.clientWidth))
    }
    fit()
    addEventListener('resize', fit)
    return () => removeEventListener('resize', fit)
  })
  return panel
}

export function Queues({ queues, open, target }: { queues: QueueFigures[]; open: ((queue: string) => void) | undefined; target: number }) {
  const t = texts.value
  const panel = useFit()
  return (
    <section ref={panel} class="panel queues" aria-labelledby="queues-title">
      <h2 id="queues-title">{t.queues}</h2>
      <table class="table queue-table" data-testid="queues">
        <thead>
          <tr>
            <th scope="col">{t.queue}</th><th scope="col">{t.state}</th><th scope="col" class="figure">{t.waiting}</th><th scope="col" class="figure">{t.longest}</th>
            <th scope="col">{t.serviceLevel}</th><th scope="col">{t.resolved}</th><th scope="col" class="figure">{t.ready}</th>
          </tr>
        </thead>
        <tbody>
          {queues.map((queue) => {
            const { verdict, word, help } = queueState(queue)
            return (
              <tr key={queue.queue} class={`row-${verdict}`} data-testid="queue" data-queue={queue.queue} data-alarm={queue.alarm}>
                <th scope="row">
                  {open ? <button type="button" class="link" aria-label={t.open(queueName(queue.queue))} onClick={() => open(queue.queue)}>{queueName(queue.queue)}</button> : queueName(queue.queue)}
                </th>
                <td data-label={t.state}><span class={`tag tag-${verdict === 'quiet' ? 'quiet' : verdict}`} title={help}><Icon name={ICONS[verdict]} />{word}</span><StrandedFor queue={queue} /></td>
                <td data-label={t.waiting} class="figure number waiting">{queue.waiting}</td>
                <td data-label={t.longest} class="figure number">{queue.waiting ? wait(queue.longest_wait_seconds) : <span class="muted">{t.noneYet}</span>}</td>
                <td data-label={t.serviceLevel}><Levels channels={queue.channels} /></td>
                <td data-label={t.resolved}><Resolved queue={queue} target={target} /></td>
                <td data-label={t.ready} class="figure number">{queue.ready}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </section>
  )
}

/** For how many of those who wait nobody is there, and why. */
function StrandedFor({ queue }: { queue: QueueFigures }) {
  const t = texts.value
  const found = Object.entries(queue.stranded) as [Stranded, number][]
  return found.map(([reason, n]) => <span key={reason} class="small stranded" data-testid="stranded">{t.strandedFor(n, t.stranded[reason])}</span>)
}

/** Only channels on which something happened today: six dashes in a row tell nothing. */
function Levels({ channels }: { channels: QueueChannel[] }) {
  const t = texts.value
  const busy = channels.filter((one) => one.entered + one.answered + one.waiting + one.offered + one.active + one.wrap_up > 0)
  if (!busy.length) return <span class="muted">{t.noneYet}<span class="visually-hidden"> {t.noFigure}</span></span>
  return <ul class="levels">{busy.map((one) => <Level key={one.channel} one={one} />)}</ul>
}

function Level({ one }: { one: QueueChannel }) {
  const t = texts.value
  const verdict = againstNorm(one.service_level, one.target_share)
  return (
    <li class={`level level-${verdict}`} data-channel={one.channel}>
      <span class="level-name">{words.value.channels[one.channel]}</span>
      <strong class="number">{one.service_level === null ? t.noneYet : percent(one.service_level)}</strong>
      {verdict !== 'quiet' && <><Icon name={ICONS[verdict]} /><span class="visually-hidden">{normWord(verdict)}</span></>}
      <span class="small muted norm">{t.norm(percent(one.target_share), t.target(one))}</span>
    </li>
  )
}

function Resolved({ queue, target }: { queue: QueueFigures; target: number }) {
  const t = texts.value
  if (queue.resolved === null || !queue.resolved_of) return <span class="muted">{t.noneYet}<span class="visually-hidden"> {t.noFigure}</span></span>
  const verdict = againstNorm(queue.resolved, target)
  return (
    <span class={`level level-${verdict}`}>
      <strong class="number">{percent(queue.resolved)}</strong><Icon name={ICONS[verdict]} /><span class="visually-hidden">{normWord(verdict)}</span>
      <span class="small muted number norm">{t.registered(queue.resolved_of, percent(queue.finished ? queue.resolved_of / queue.finished : 0))}</span>
    </span>
  )
}
