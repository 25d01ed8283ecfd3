// The agent desk.
import { render } from 'preact'
import '../shared/base.css'
import './desk.css'
import '../shared/theme'
import { keepFocus } from '../shared/focus'
import { recall } from '../shared/session'
import { App } from './App'
import { watchWrapUps } from './actions'
import { lead, watchOffers } from './alerts'
import { listen } from './shortcuts'
import { unsaved } from './store'
import { texts } from './texts'

keepFocus(document)
lead()
watchOffers()
watchWrapUps()
listen()
addEventListener('beforeunload', (event) => {
  if (!unsaved.value) return
  event.preventDefault()
  event.returnValue = texts.value.leave
})
recall().catch(() => setTimeout(() => location.reload(), 5000))
render(<App />, document.getElementById('app')!)
