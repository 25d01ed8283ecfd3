// The whole desk: sign-in, or header, banners, and the page chosen.
import { useEffect } from 'preact/hooks'
import { Icon } from '../shared/icons'
import { learnNames } from '../shared/names'
import { session } from '../shared/session'
import { SignIn } from '../shared/SignIn'
import { words } from '../shared/words'
import { start, stop } from './actions'
import { Banners } from './Banners'
import { Context } from './Context'
import { Dialogs } from './Dialogs'
import { FollowUps } from './FollowUps'
import { Header } from './Header'
import { Offers } from './Offers'
import { Queues, Roster } from './Roster'
import { watchPhone } from './phone/phone'
import { current, desk, notice, page } from './store'
import { texts } from './texts'
import { Idle, Work } from './Work'

export function App() {
  const who = session.value
  if (who === undefined) return <p class="loading" role="status">{words.value.loading}</p>
  if (who === null) return <SignIn title={texts.value.signInTitle} />
  return <Desk key={who.user} />
}

function Desk() {
  useEffect(() => {
    learnNames().catch(() => undefined)
    start()
    // The sign-in form had it; the keyboard goes on where the work is.
    document.getElementById('content')?.focus({ preventScroll: true })
    const unwatch = watchPhone()
    return () => {
      unwatch()
      stop()
    }
  }, [])
  const t = texts.value
  const onContacts = page.value === 'contacts'
  return (
    <div class="desk">
      <a class="skip" href="#content">{words.value.skip}</a>
      <Header />
      <Banners />
      <div class={onContacts ? (current.value ? 'columns' : 'columns columns-idle') : 'columns columns-page'}>
        <aside class="side" aria-label={t.contacts}>
          <Offers />
          <Roster />
          <Queues />
        </aside>
        <main id="content" data-focus tabIndex={-1} class="main" aria-label={onContacts ? t.work : t.followUpsTitle}>
          {!onContacts ? <FollowUps /> : current.value ? <Work key={current.value.contact} one={current.value} /> : <Idle />}
        </main>
        {onContacts && current.value && <Context one={current.value} />}
      </div>
      <Dialogs />
      <div class="notices">
        <p role="status" class="visually-hidden">{desk.value?.offers[0] ? '' : notice.value && !notice.value.bad ? notice.value.text : ''}</p>
        <div role="alert">{notice.value?.bad && <p class="alert alert-action notice" data-testid="notice"><Icon name="action" /> {notice.value.text}</p>}</div>
        {notice.value && !notice.value.bad && <p class="alert alert-ok notice" aria-hidden="true" data-testid="notice"><Icon name="ok" /> {notice.value.text}</p>}
      </div>
    </div>
  )
}
