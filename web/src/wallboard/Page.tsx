// The page around the figures: how fresh they are, and what is announced.
import { useEffect, useRef } from 'preact/hooks'
import { centre, queueName } from '../shared/names'
import { Estimates } from '../shared/Estimates'
import { RecordingsDialog } from '../shared/Recordings'
import { recordingTexts } from '../shared/texts.recordings'
import { Dialog, LanguageChoice, ThemeChoice } from '../shared/parts'
import { session, signOut } from '../shared/session'
import { now, timeWithSeconds } from '../shared/time'
import { words } from '../shared/words'
import { Icon } from '../shared/icons'
import { OpeningNotices } from '../shared/OpeningNotices'
import { openingTexts } from '../shared/texts.openings'
import { AgentTiles, ChannelTable, Headline } from './Figures'
import { queueState } from './judge'
import { Openings } from './Openings'
import { People } from './People'
import { Queues } from './Queues'
import { OutcomesDialog } from './Outcomes'
import { board, connection, heardAt, isTv, openQueue, openReport, STALE_MS } from './store'
import { texts } from './texts'
import { TransfersDialog } from './Transfers'
import { Waiting } from './Waiting'

export function Page() {
  const t = texts.value
  const it = board.value
  const supervisor = session.value?.role === 'supervisor' && !isTv
  // The sign-in form had the keyboard; it goes on at the figures.
  useEffect(() => void (it && document.getElementById('content')?.focus({ preventScroll: true })), [it === null])
  void now.value
  const stale = it !== null && Date.now() - heardAt.value > STALE_MS
  if (connection.value?.link.value === 'over' || (connection.value?.link.value === 'refused' && !isTv)) setTimeout(() => (session.value = null))
  return (
    <div class={stale ? 'board board-stale' : 'board'} data-testid="board" data-stale={stale}>
      <a class="skip" href="#content">{words.value.skip}</a>
      <header class="board-top">
        <p class="brand">{centre.value?.name ?? words.value.product}</p>
        <h1>{t.title}</h1>
        <p class={stale ? 'updated tag tag-action' : 'updated'} data-testid="updated">
          {stale && <Icon name="action" />}
          <span class="number">{it ? (stale ? t.stale(timeWithSeconds(heardAt.value)) : t.updated(timeWithSeconds(it.at))) : t.connecting}</span>
        </p>
        {!isTv && (
          <div class="row">
            {session.value?.agent && <a href="/desk">{t.desk}</a>}
            {supervisor && <button type="button" class="plain" data-testid="open-openings" onClick={() => (openReport.value = 'openings')}>{openingTexts.value.title}</button>}
            {supervisor && <button type="button" class="plain" data-testid="open-outcomes" onClick={() => (openReport.value = 'outcomes')}>{t.outcomes}</button>}
            {supervisor && <button type="button" class="plain" data-testid="open-transfers" onClick={() => (openReport.value = 'transfers')}>{t.transferred}</button>}
            {supervisor && <button type="button" class="plain" data-testid="open-estimates" onClick={() => (openReport.value = 'estimates')}>{t.estimates}</button>}
            {supervisor && centre.value?.recordings && <button type="button" class="plain" data-testid="open-recordings" onClick={() => (openReport.value = 'recordings')}>{recordingTexts.value.title}</button>}
            <a href="/wallboard?tv=1">{t.tvMode}</a>
            <LanguageChoice /><ThemeChoice />
            {session.value && <button type="button" class="plain" onClick={() => void signOut()}><Icon name="out" />{t.signOut}</button>}
          </div>
        )}
      </header>
      <Announcer />
      {it && <OpeningNotices openings={it.openings} />}
      {it && (
        <main id="content" class="board-main" tabIndex={-1}>
          <Headline board={it} />
          <Queues queues={it.queues} open={supervisor ? (queue) => (openQueue.value = queue) : undefined} target={it.resolved_target} />
          {isTv ? <AgentTiles agents={it.agents} /> : (
            <div class="board-lower">
              <ChannelTable channels={it.channels} />
              {supervisor && it.people && it.people.length > 0 && <People people={it.people} />}
            </div>
          )}
        </main>
      )}
      {openReport.value === 'outcomes' && <OutcomesDialog onClose={() => (openReport.value = null)} />}
      {openReport.value === 'transfers' && <TransfersDialog onClose={() => (openReport.value = null)} />}
      {openReport.value === 'recordings' && <RecordingsDialog onClose={() => (openReport.value = null)} />}
      {openReport.value === 'estimates' && <Dialog title={t.estimates} wide testid="estimates-dialog" onClose={() => (openReport.value = null)}><Estimates mayswitch /></Dialog>}
      {openReport.value === 'openings' && <Openings onClose={() => (openReport.value = null)} />}
      {openQueue.value && <Waiting key={openQueue.value} queue={openQueue.value} onClose={() => (openQueue.value = null)} />}
    </div>
  )
}

/** Tells changes of state only: figures that tick every second would never be silent. */
function Announcer() {
  const before = useRef<Record<string, string>>({})
  const said = useRef('')
  const queues = board.value?.queues ?? []
  const news = queues.filter((one) => before.current[one.queue] !== undefined && before.current[one.queue] !== one.alarm)
  before.current = Object.fromEntries(queues.map((one) => [one.queue, one.alarm]))
  if (news.length) said.current = news.map((one) => texts.value.announce(queueName(one.queue), `${queueState(one).word}, ${queueState(one).help}`)).join('. ')
  return <p role="status" class="visually-hidden">{said.current}</p>
}
