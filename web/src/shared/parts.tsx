// Parts of forms and dialogs that more than one page uses.
import type { ComponentChildren, TargetedEvent } from 'preact'
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { chooseLanguage, language } from './i18n'
import { Icon } from './icons'
import type { Language } from './protocol'
import { chooseTheme, theme, type Theme } from './theme'
import { sayError, words } from './words'

/** A labelled control. `children` gets the id that the label points to. */
export function Field(props: {
  label: string
  hint?: string
  error?: string
  children: (id: string, describedBy: string | undefined) => ComponentChildren
}) {
  const id = useId()
  const hints = [props.hint ? `${id}-hint` : '', props.error ? `${id}-error` : ''].filter(Boolean).join(' ')
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      {props.hint && <p class="hint" id={`${id}-hint`}>{props.hint}</p>}
      {props.children(id, hints || undefined)}
      {props.error && <p class="field-error" id={`${id}-error`}>{props.error}</p>}
    </div>
  )
}

/** A modal dialog; Esc and the close button call `onClose`. Focus goes back to where it was. */
export function Dialog(props: { title: string; onClose: () => void; wide?: boolean; testid?: string; children: ComponentChildren }) {
  const element = useRef<HTMLDialogElement>(null)
  const id = useId()
  // Before anything else happens: whoever presses Esc at once means the dialog, not what lies under it.
  useLayoutEffect(() => {
    const before = document.activeElement
    element.current?.showModal()
    // A form begins at its first field, not at the button that closes it.
    element.current?.querySelector<HTMLElement>('[autofocus], form :is(input, select, textarea, button), .reason-list button')?.focus()
    return () => {
      const back = before instanceof HTMLElement && before !== document.body && before.isConnected ? before : document.getElementById('content')
      back?.focus({ preventScroll: true })
    }
  }, [])
  return (
    <dialog
      ref={element}
      class={props.wide ? 'dialog dialog-wide' : 'dialog'}
      aria-labelledby={id}
      data-testid={props.testid}
      onClose={props.onClose}
    >
      <header class="dialog-head">
        <h2 id={id}>{props.title}</h2>
        <button type="button" class="plain square" aria-label={words.value.close} onClick={props.onClose}>
          <Icon name="close" />
        </button>
      </header>
      {props.children}
    </dialog>
  )
}

/** A form that sends itself, is busy meanwhile, and shows what went wrong. */
export function SendForm(props: {
  action: string
  send: (data: FormData) => Promise<void>
  onCancel?: () => void
  danger?: boolean
  disabled?: boolean
  class?: string
  children: ComponentChildren
}) {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState('')
  const submit = async (event: TargetedEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault()
    if (busy) return
    setBusy(true)
    setError('')
    try {
      await props.send(new FormData(event.currentTarget))
    } catch (problem) {
      setError(sayError(problem))
    } finally {
      setBusy(false)
    }
  }
  return (
    <form class={props.class ?? 'stack'} onSubmit={(event) => void submit(event)}>
      {props.children}
      {error && <p class="alert alert-action" role="alert"><Icon name="action" /> {error}</p>}
      <div class="buttons">
        <button type="submit" class={props.danger ? 'danger' : 'primary'} disabled={props.disabled} aria-disabled={busy}>{props.action}</button>
        {props.onCancel && <button type="button" class="plain" onClick={props.onCancel}>{words.value.cancel}</button>}
      </div>
    </form>
  )
}

/** Goes to the other language; it is named in that language, as its speakers look for it. */
export function LanguageChoice() {
  const other: Language = language.value === 'nl' ? 'en' : 'nl'
  return (
    <button type="button" class="plain" lang={other} data-testid="language" onClick={() => chooseLanguage(other)}>
      {other === 'en' ? 'English' : 'Nederlands'}
    </button>
  )
}

export function ThemeChoice() {
  const w = words.value
  return (
    <label class="compact">
      <span class="visually-hidden">{w.theme}</span>
      <select data-testid="theme" value={theme.value} onChange={(event) => chooseTheme(event.currentTarget.value as Theme)}>
        {(['auto', 'light', 'dark'] as const).map((one) => <option key={one} value={one}>{w.themes[one]}</option>)}
      </select>
    </label>
  )
}
