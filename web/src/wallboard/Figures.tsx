// The headline figures, agents per state, and the totals per channel.
import { ChannelIcon, Icon, type IconName } from '../shared/icons'
import type { Board, ChannelFigures, PersonState } from '../shared/protocol'
import { words } from '../shared/words'
import { ICONS, percent, type Verdict } from './judge'
import { OutcomeTile } from './Outcomes'
import { isTv } from './store'
import { texts } from './texts'
import { TransferLine } from './Transfers'

export const STATE_ICONS: Record<PersonState, IconName> = { ready: 'ok', busy: 'phone', wrap_up: 'note', paused: 'pause', signed_off: 'quiet' }
export const STATES: PersonState[] = ['ready', 'busy', 'wrap_up', 'paused', 'signed_off']

function Tile(props: { label: string; value: string; verdict?: Verdict; word?: string; more?: string; testid: string }) {
  return (
    <div class={`tile tile-${props.verdict ?? 'plain'}`} data-testid={props.testid}>
      <dt>{props.label}</dt>
      <dd class="tile-value number">{props.value}</dd>
      {props.word && <dd class="tile-word">{props.verdict && <Icon name={ICONS[props.verdict]} />}{props.word}</dd>}
      {props.more && <dd class="small muted">{props.more}</dd>}
    </div>
  )
}

export function Headline({ board }: { board: Board }) {
  const t = texts.value
  const waiting = board.queues.reduce((sum, one) => sum + one.waiting, 0)
  const late = board.follow_ups.overdue
  const nobody = board.queues.filter((one) => one.alarm === 'nobody').length
  const slow = board.queues.filter((one) => one.alarm === 'late').length
  const [alarm, said]: [Verdict, string] = nobody ? ['action', t.tileStates.nobody(nobody)]
    : slow ? ['attention', t.tileStates.late(slow)]
      : waiting ? ['ok', t.tileStates.ok] : ['quiet', t.tileStates.quiet]
  return (
    <div class="headline">
      <div class="headline-left">
        <dl class="tiles">
          <Tile testid="tile-waiting" label={t.waiting} value={`${waiting}`} verdict={alarm} word={said} />
          <OutcomeTile board={board} />
          <Tile
            testid="tile-follow-ups" label={t.followUps} value={`${board.follow_ups.open} ${t.followUpsOpen}`} verdict={late ? 'action' : 'ok'}
            word={`${late} ${t.followUpsOverdue}`}
          />
        </dl>
        <TransferLine board={board} />
      </div>
      {isTv ? <ChannelStrip channels={board.channels} /> : <AgentTiles agents={board.agents} />}
    </div>
  )
}

export function AgentTiles({ agents }: { agents: Board['agents'] }) {
  const t = texts.value
  return (
    <section class="agents" aria-labelledby="agents-title">
      <h2 id="agents-title">{t.agents}</h2>
      <dl class="agent-tiles">
        {STATES.map((state) => (
          <div key={state} class={`agent-tile agent-${state}`} data-testid={`agents-${state}`}>
            <dt><Icon name={STATE_ICONS[state]} />{words.value.personStates[state]}</dt>
            <dd class="number">{agents[state] ?? 0}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

/** Totals per channel where there is no room for the table. */
function ChannelStrip({ channels }: { channels: ChannelFigures[] }) {
  const t = texts.value
  return (
    <section class="agents strip" aria-labelledby="strip-title" data-testid="channels">
      <h2 id="strip-title" class="visually-hidden">{t.channels}</h2>
      <dl>
        {channels.map((one) => (
          <div key={one.channel}>
            <dt><Icon name={one.channel} />{words.value.channels[one.channel]}</dt>
            <dd class="number">{t.inLine(one.waiting, one.received)}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

export function ChannelTable({ channels }: { channels: ChannelFigures[] }) {
  const t = texts.value
  return (
    <section aria-labelledby="channels-title" class="panel">
      <h2 id="channels-title">{t.channels}, {t.today.toLowerCase()}</h2>
      <div class="scroll" tabIndex={0} role="group" aria-labelledby="channels-title">
        <table class="table" data-testid="channels">
          <thead>
            <tr><th scope="col">{t.channel}</th>{[t.received, t.waiting, t.offered, t.active, t.wrapUp, t.ended, t.serviceLevel].map((one) => <th key={one} scope="col" class="figure">{one}</th>)}</tr>
          </thead>
          <tbody>
            {channels.map((one) => (
              <tr key={one.channel}>
                <th scope="row"><ChannelIcon channel={one.channel} />{words.value.channels[one.channel]}</th>
                {[one.received, one.waiting, one.offered, one.active, one.wrap_up, one.ended].map((n, i) => <td key={i} class={n ? 'figure number' : 'figure number muted'}>{n}</td>)}
                <td class="figure number">{one.service_level === null ? <span class="muted">{t.noneYet}</span> : percent(one.service_level)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}
