// The chat panel inside the element's shadow root.
import { signal } from '@preact/signals'
import { render } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { keepFocus } from '../shared/focus'
import css from './chat.css?inline'
import { Closed, Intro } from './Intro'
import type { Place } from './launcher'
import { conversation, type Conversation } from './store'
import { Talk } from './Talk'
import { TEXTS, type Texts } from './texts'

export interface Shared {
  chat: Conversation
  t: Texts
  language: 'nl' | 'en'
}

/** Puts the (closed) panel in the shadow root; gives what opens it. */
export function place(where: Place): () => void {
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(css)
  where.root.adoptedStyleSheets = [...where.root.adoptedStyleSheets, sheet]
  const box = document.createElement('div')
  where.root.append(box)
  const chat = conversation(where)
  keepFocus(where.root)
  const open = signal(false)
  const close = (): void => {
    open.value = false
    chat.shown(false)
    where.closed()
  }
  const shared = { chat, t: TEXTS[where.language], language: where.language }
  render(<><News shared={shared} /><Panel shared={shared} open={open} close={close} /></>, box)
  return () => {
    open.value = true
    chat.shown(true)
  }
}

/** The panel is away, so its own log says nothing: that there is an answer is said here. */
function News({ shared: { chat, t, language } }: { shared: Shared }) {
  const count = chat.unread.value
  return <p class="visually-hidden" role="status" lang={language} data-testid="chat-news">{count ? t.news(count) : ''}</p>
}

function Panel({ shared, open, close }: { shared: Shared; open: { value: boolean }; close: () => void }) {
  const { chat, t, language } = shared
  const heading = useRef<HTMLHeadingElement>(null)
  const shown = open.value
  useEffect(() => {
    if (shown) heading.current?.focus()
  }, [shown])
  const name = chat.info.value?.name
  const link = chat.link.value
  const calamity = chat.info.value?.calamity
  return (
    <section
      class="panel" hidden={!shown} role="dialog" aria-labelledby="kcc-title" lang={language} data-testid="chat-panel" data-phase={chat.phase.value}
      onKeyDown={(event) => {
        if (event.key === 'Escape') close()
      }}
    >
      <div class="head">
        <h2 id="kcc-title" tabIndex={-1} ref={heading}>{t.title(name ?? t.municipality)}</h2>
        <button type="button" class="icon-button" aria-label={t.minimise} onClick={close}>
          <svg viewBox="0 0 24 24" aria-hidden="true"><path d="m6 9 6 6 6-6" /></svg>
        </button>
      </div>
      {calamity && <p class="calamity" data-testid="calamity"><Sign />{calamity[language] ?? calamity['nl']}</p>}
      <div role="status" class="links">{link === 'down' && chat.phase.value !== 'loading' && <p class="banner">{t.down}</p>}</div>
      {chat.phase.value === 'loading' && <p class="body" role="status">{link === 'down' || link === 'refused' ? t.noServer : t.loading}</p>}
      {chat.phase.value === 'intro' && chat.info.value && (chat.info.value.open ? <Intro shared={shared} info={chat.info.value} /> : <Closed shared={shared} info={chat.info.value} />)}
      {(chat.phase.value === 'chat' || chat.phase.value === 'ended') && <Talk shared={shared} />}
    </section>
  )
}

export const Sign = () => (
  <svg class="sign" viewBox="0 0 24 24" aria-hidden="true"><path d="M12 4 2.8 19.5h18.4ZM12 10v4.5M12 17v.2" /></svg>
)
