// <kcc-chat municipality="waterland" lang="nl" server=""></kcc-chat>: a button on a municipality's page.
// The chat itself is fetched when somebody asks for it, or when a conversation of this tab is still going on.

const OWN = new URL(import.meta.url).origin

const LABELS = { nl: 'Chat met de gemeente', en: 'Chat with the municipality' }

const STYLE = `
:host { position: fixed; inset: auto 16px 16px auto; z-index: 2147483000; font: 16px/1.5 var(--utrecht-document-font-family, system-ui, sans-serif); }
:host([hidden]) { display: none; }
.launch { display: flex; align-items: center; gap: 10px; min-height: 52px; padding: 0 20px 0 16px; border: 0; border-radius: 26px; cursor: pointer; font: inherit; font-weight: 600;
  color: var(--utrecht-button-primary-action-color, #fff); background: var(--utrecht-button-primary-action-background-color, #154273); box-shadow: 0 4px 16px rgb(0 0 0 / 25%); }
.launch:hover { filter: brightness(1.15); }
.launch:focus-visible { outline: 3px solid #fff; outline-offset: 0; box-shadow: 0 0 0 6px #000; }
.launch svg { width: 24px; height: 24px; fill: none; stroke: currentcolor; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
.launch[hidden] { display: none; }
.news { min-width: 24px; padding: 0 6px; border-radius: 12px; text-align: center; color: #154273; background: #fff; }
.news:empty { display: none; }
@media (max-width: 480px) { .launch { padding: 0 16px; } }
@media (forced-colors: active) { .launch { border: 2px solid ButtonText; } }
`

export interface Place {
  server: string
  municipality: string
  language: 'nl' | 'en'
  root: ShadowRoot
  /** The panel was closed; `news` is how many messages came in since. */
  closed: () => void
  news: (count: number) => void
}

class KccChat extends HTMLElement {
  #button = document.createElement('button')
  #news = document.createElement('span')
  #open: (() => void) | undefined

  connectedCallback(): void {
    if (this.shadowRoot) return
    const root = this.attachShadow({ mode: 'open' })
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(STYLE)
    root.adoptedStyleSheets = [sheet]
    const said = this.lang || this.closest('[lang]')?.getAttribute('lang') || 'nl'
    const language = said.startsWith('en') ? 'en' : 'nl'
    this.#button.type = 'button'
    this.#button.className = 'launch'
    this.#button.innerHTML = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4.5 4.5h15a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H11l-4.5 4v-4h-2a1 1 0 0 1-1-1v-10a1 1 0 0 1 1-1ZM8 9h8M8 12.5h5"/></svg>'
    const label = document.createElement('span')
    label.textContent = LABELS[language]
    this.#news.className = 'news'
    this.#button.append(label, this.#news)
    this.#button.addEventListener('click', () => void this.#show(root, language))
    root.append(this.#button)
    try {
      if (sessionStorage.getItem(`kcc-chat.${this.getAttribute('municipality')}`)) void this.#show(root, language)
    } catch {
      // Without storage a conversation does not survive a reload; all else works.
    }
  }

  async #show(root: ShadowRoot, language: 'nl' | 'en'): Promise<void> {
    this.#button.disabled = true
    try {
      this.#open ??= (await import('./chat')).place({
        server: (this.getAttribute('server') || OWN).replace(/\/$/, ''),
        municipality: this.getAttribute('municipality') ?? '',
        language,
        root,
        closed: () => {
          this.#button.hidden = false
          this.#button.focus()
        },
        news: (count) => {
          this.#news.textContent = count ? `${count}` : ''
        },
      })
      this.#button.hidden = true
      this.#open()
    } finally {
      this.#button.disabled = false
    }
  }
}

if (!customElements.get('kcc-chat')) customElements.define('kcc-chat', KccChat)
