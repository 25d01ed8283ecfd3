// What a supervisor closes at once, opens again and announces: per municipality, with a reason and an end.
import { useState } from 'preact/hooks'
import { Icon } from '../shared/icons'
import { titled } from '../shared/i18n'
import { agentName, centre, municipalityName } from '../shared/names'
import { Dialog, Field, SendForm } from '../shared/parts'
import { CLOSABLE, CLOSING_REASONS, type Closable, type ClosingReason, type Opening } from '../shared/protocol'
import { openingTexts } from '../shared/texts.openings'
import { moment, present } from '../shared/time'
import { sayError, words } from '../shared/words'
import { announceCalamity, board, closeChannels, openChannels, withdrawCalamity } from './store'

type Acting = { kind: 'close' | 'announce'; municipality: string } | null

export function Openings({ onClose }: { onClose: () => void }) {
  const t = openingTexts.value
  const [acting, act] = useState<Acting>(null)
  const [done, setDone] = useState('')
  const [error, setError] = useState('')
  const after = (): void => {
    act(null)
    setError('')
    setDone(t.done)
  }
  const now = (doing: Promise<unknown>): void => {
    doing.then(after, (problem) => setError(sayError(problem)))
  }
  return (
    <Dialog title={t.dialogTitle} wide onClose={onClose} testid="openings-dialog">
      <p role="status" class={done ? 'alert alert-ok' : ''}>{done && <><Icon name="ok" /> {done}</>}</p>
      {error && <p class="alert alert-action" role="alert"><Icon name="action" />{error}</p>}
      {board.value?.openings.map((opening) => {
        const here = acting?.municipality === opening.municipality ? acting.kind : null
        const id = opening.municipality
        return (
          <section key={id} class="opening" aria-label={municipalityName(id)} data-testid="opening" data-municipality={id}>
            <h3>{municipalityName(id)}</h3>
            <ul class="opening-channels">{CLOSABLE.map((channel) => <ChannelState key={channel} channel={channel} opening={opening} />)}</ul>
            {opening.calamity && (
              <p><span class="tag tag-action"><Icon name="action" />{t.calamity}</span> {titled(opening.calamity, '')}{' '}
                {opening.calamity_since && <span class="small muted">{t.by(agentName(opening.calamity_by), moment(opening.calamity_since))}</span>}
              </p>
            )}
            <div class="row">
              {opening.closed.length < CLOSABLE.length && <button type="button" aria-expanded={here === 'close'} onClick={() => act({ kind: 'close', municipality: id })}>{t.close}</button>}
              {opening.closed.length > 0 && <button type="button" onClick={() => now(openChannels(id, []))}>{t.open}</button>}
              {opening.calamity
                ? <button type="button" onClick={() => now(withdrawCalamity(id))}>{t.withdraw}</button>
                : <button type="button" aria-expanded={here === 'announce'} onClick={() => act({ kind: 'announce', municipality: id })}>{t.announce}</button>}
            </div>
            {here === 'close' && <CloseForm opening={opening} after={after} cancel={() => act(null)} />}
            {here === 'announce' && <AnnounceForm municipality={id} after={after} cancel={() => act(null)} />}
          </section>
        )
      })}
    </Dialog>
  )
}

function ChannelState({ channel, opening }: { channel: Closable; opening: Opening }) {
  const t = openingTexts.value
  const closed = opening.closed.find((one) => one.channel === channel)
  return (
    <li data-testid="opening-channel" data-channel={channel} data-open={opening.open[channel]}>
      <strong>{words.value.channels[channel]}</strong>
      {opening.open[channel] ? <span class="tag tag-ok"><Icon name="ok" />{t.isOpen}</span>
        : closed ? <><span class="tag tag-attention"><Icon name="attention" />{t.bySupervisor(t.reasons[closed.reason])}, {closed.until ? t.until(moment(closed.until)) : t.untilOpened}</span><span class="small muted">{t.by(agentName(closed.by), moment(closed.since))}</span></>
          : <span class="tag tag-quiet"><Icon name="quiet" />{t.byHours}</span>}
    </li>
  )
}

function CloseForm({ opening, after, cancel }: { opening: Opening; after: () => void; cancel: () => void }) {
  const t = openingTexts.value
  const [chosen, choose] = useState<Closable[]>([...CLOSABLE])
  return (
    <SendForm
      class="stack waiting-act" action={t.closeNow} danger disabled={!chosen.length} onCancel={cancel}
      send={async (data) => {
        const minutes = Number(data.get('minutes'))
        await closeChannels(opening.municipality, chosen, `${data.get('reason')}` as ClosingReason, minutes ? present() + minutes * 60_000 : 0)
        after()
      }}
    >
      <fieldset>
        <legend>{t.which}</legend>
        {CLOSABLE.map((one) => (
          <label key={one} class="option">
            <input type="checkbox" checked={chosen.includes(one)} onChange={(event) => choose(event.currentTarget.checked ? [...chosen, one] : chosen.filter((other) => other !== one))} />
            {words.value.channels[one]}
          </label>
        ))}
      </fieldset>
      <Field label={t.reason}>{(id) => <select id={id} name="reason">{CLOSING_REASONS.map((one) => <option key={one} value={one}>{t.reasons[one]}</option>)}</select>}</Field>
      <Field label={t.howLong}>{(id) => <select id={id} name="minutes">{Object.entries(t.spans).map(([minutes, name]) => <option key={minutes} value={minutes}>{name}</option>)}</select>}</Field>
      <p class="hint">{t.stays}</p>
    </SendForm>
  )
}

function AnnounceForm({ municipality, after, cancel }: { municipality: string; after: () => void; cancel: () => void }) {
  const t = openingTexts.value
  const ready = centre.value?.municipalities.find((one) => one.id === municipality)?.calamity
  const [own, setOwn] = useState(!ready?.nl)
  return (
    <SendForm
      class="stack waiting-act" action={t.announceNow} danger onCancel={cancel}
      send={async (data) => {
        await announceCalamity(municipality, own ? `${data.get('nl')}`.trim() : '', own ? `${data.get('en')}`.trim() : '')
        after()
      }}
    >
      {ready?.nl && (
        <fieldset>
          <legend>{t.whichText}</legend>
          <label class="option"><input type="radio" name="which" checked={!own} onChange={() => setOwn(false)} /><span>{t.ready}:<br /><q>{titled(ready, '')}</q></span></label>
          <label class="option"><input type="radio" name="which" checked={own} onChange={() => setOwn(true)} />{t.own}</label>
        </fieldset>
      )}
      {own && (
        <>
          <Field label={t.textNl} hint={t.publicHint}>{(id, hint) => <textarea id={id} name="nl" rows={2} required maxLength={500} aria-describedby={hint} />}</Field>
          <Field label={t.textEn}>{(id) => <textarea id={id} name="en" rows={2} maxLength={500} />}</Field>
        </>
      )}
    </SendForm>
  )
}
