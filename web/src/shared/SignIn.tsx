// The sign-in form of desk and wallboard.
import { useState } from 'preact/hooks'
import type { ComponentChildren } from 'preact'
import { signIn } from './api'
import { Icon } from './icons'
import { Field, LanguageChoice, ThemeChoice } from './parts'
import { Refusal } from './refusal'
import { expired, welcome } from './session'
import { words } from './words'

export function SignIn({ title, children }: { title: string; children?: ComponentChildren }) {
  const w = words.value
  const [error, setError] = useState('')
  const [busy, setBusy] = useState(false)

  const submit = async (form: HTMLFormElement): Promise<void> => {
    if (busy) return
    const data = new FormData(form)
    setBusy(true)
    setError('')
    try {
      welcome(await signIn(`${data.get('user')}`.trim(), `${data.get('password')}`))
    } catch (problem) {
      const code = problem instanceof Refusal ? problem.code : 'unavailable'
      setError(code === 'not_signed_in' ? w.wrongPassword : code === 'too_many' ? w.tooManyTries : code === 'not_allowed' ? w.refusals.not_allowed : w.noServer)
      form.querySelector<HTMLInputElement>('[name=password]')?.select()
    } finally {
      setBusy(false)
    }
  }

  return (
    <main class="sign-in" id="content">
      <div class="sign-in-card">
        <p class="brand">{w.product}</p>
        <h1>{title}</h1>
        {expired.value && <p class="alert" role="status" data-testid="expired"><Icon name="clock" /> {w.expired}</p>}
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault()
            void submit(event.currentTarget)
          }}
        >
          <Field label={w.user}>
            {(id) => <input id={id} name="user" autocomplete="username" autocapitalize="none" spellcheck={false} required />}
          </Field>
          <Field label={w.password}>
            {(id) => <input id={id} name="password" type="password" autocomplete="current-password" required />}
          </Field>
          <div role="alert">{error && <p class="alert alert-action"><Icon name="action" /> {error}</p>}</div>
          <button type="submit" class="primary" aria-disabled={busy}>{busy ? w.signingIn : w.signIn}</button>
        </form>
        {children}
        <div class="choices"><LanguageChoice /><ThemeChoice /></div>
      </div>
    </main>
  )
}
