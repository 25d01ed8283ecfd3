// The wallboard: for supervisors, and with ?tv=1 for a screen on the wall.
import { render } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import '../shared/base.css'
import './wallboard.css'
import '../shared/theme'
import { keepFocus } from '../shared/focus'
import { recall, session } from '../shared/session'
import { SignIn } from '../shared/SignIn'
import { words } from '../shared/words'
import { Page } from './Page'
import { isTv, start, token } from './store'
import { texts } from './texts'
import { TokenForm } from './TokenForm'

keepFocus(document)
if (isTv) document.documentElement.dataset['theme'] = 'dark'
document.documentElement.classList.toggle('tv', isTv)

function App() {
  const who = session.value
  if (token.value) return <Connected key={token.value} token={token.value} />
  if (who === undefined) return <p class="loading" role="status">{words.value.loading}</p>
  if (who) return <Connected key={who.user} token={null} />
  return isTv ? <TokenForm /> : <SignIn title={texts.value.signInTitle} />
}

function Connected({ token }: { token: string | null }) {
  const [ready, setReady] = useState(false)
  useEffect(() => {
    const stop = start(token)
    setReady(true)
    return stop
  }, [])
  useEffect(() => {
    document.title = `${texts.value.title} · ${words.value.product}`
  })
  return ready ? <Page /> : null
}

const ask = (): void => void recall().catch(() => setTimeout(ask, 5000))
ask()
render(<App />, document.getElementById('app')!)
