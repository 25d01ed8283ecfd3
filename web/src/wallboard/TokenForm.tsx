// A screen on the wall has no keyboard later on: its code is typed once and kept.
import { Icon } from '../shared/icons'
import { Field, LanguageChoice } from '../shared/parts'
import { words } from '../shared/words'
import { tokenRefused, useToken } from './store'
import { texts } from './texts'

export function TokenForm() {
  const t = texts.value
  return (
    <main class="sign-in" id="content">
      <div class="sign-in-card">
        <p class="brand">{words.value.product}</p>
        <h1>{t.tvTitle}</h1>
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault()
            const value = `${new FormData(event.currentTarget).get('token')}`.trim()
            if (value) useToken(value)
          }}
        >
          <Field label={t.tvToken} hint={t.tvHint}>
            {(id, described) => <input id={id} name="token" autocomplete="off" spellcheck={false} required aria-describedby={described} />}
          </Field>
          <div role="alert">{tokenRefused.value && <p class="alert alert-action"><Icon name="action" /> {t.tvWrong}</p>}</div>
          <button type="submit" class="primary">{t.tvGo}</button>
        </form>
        <div class="choices"><LanguageChoice /></div>
      </div>
    </main>
  )
}
