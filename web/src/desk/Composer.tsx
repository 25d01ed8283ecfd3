// Where the agent writes: an answer to the citizen, or a note for colleagues that looks like something else entirely.
import { Icon } from '../shared/icons'
import type { InHand } from '../shared/protocol'
import { keepDraft, sendTyped, tellTyping } from './actions'
import { nameOf } from './Roster'
import { enterSends } from './settings'
import { ariaKeys, keyName } from './shortcuts'
import { type, typedIn, type Mode } from './store'
import { texts } from './texts'
import { writable } from './Work'

export function Composer({ one }: { one: InHand }) {
  const t = texts.value
  const { reply, kept, note, mode: chosen } = typedIn(one.contact)
  const both = writable(one) && !(one.channel === 'chat' && one.citizen_left)
  const mode: Mode = both ? chosen : 'note'
  const value = mode === 'reply' ? reply : note
  const byEnter = one.channel === 'chat' && enterSends.value
  const send = (): void => {
    type(one.contact, { mode })
    sendTyped(one.contact)
  }
  return (
    <form
      class={`composer composer-${mode}`}
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      {both && (
        <div class="composer-kinds" role="group" aria-label={t.replyKind}>
          {(['reply', 'note'] as const).map((kind) => (
            <button
              key={kind} type="button" class="kind" aria-pressed={mode === kind} title={keyName(kind)} aria-keyshortcuts={ariaKeys(kind)}
              onClick={() => type(one.contact, { mode: kind })}
            ><Icon name={kind === 'reply' ? 'send' : 'note'} />{t[kind]}</button>
          ))}
        </div>
      )}
      <textarea
        key={mode} dir="auto" data-box={mode} data-testid={mode === 'reply' ? 'reply-box' : 'note-box'} rows={one.channel === 'email' && mode === 'reply' ? 7 : 3} maxLength={20000}
        aria-label={mode === 'reply' ? t.replyTo(nameOf(one)) : t.noteLabel}
        placeholder={mode === 'reply' ? t.replyTo(nameOf(one)) : t.noteHint}
        value={value}
        onInput={(event) => {
          const text = event.currentTarget.value
          type(one.contact, mode === 'reply' ? { reply: text } : { note: text })
          if (mode === 'note') return
          keepDraft(one.contact)
          if (one.channel === 'chat') tellTyping(one.contact)
        }}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.isComposing || event.shiftKey || event.altKey) return
          if (event.ctrlKey || event.metaKey || byEnter) {
            event.preventDefault()
            if (!event.repeat) send()
          }
        }}
      />
      <div class="row composer-foot">
        <span class="small muted grow">
          {mode === 'note' ? t.noteHint : reply && (reply === kept ? t.draftKept : t.draftBusy)}
        </span>
        <span class="small muted">{t.sendWith(byEnter ? 'Enter' : 'Ctrl+Enter')}</span>
        <button type="submit" class="primary" data-testid="send" disabled={!value.trim()}><Icon name={mode === 'reply' ? 'send' : 'note'} />{mode === 'reply' ? t.send : t.saveNote}</button>
      </div>
    </form>
  )
}
