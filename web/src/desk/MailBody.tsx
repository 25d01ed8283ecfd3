// Text from outside. HTML is shown in a frame that may do nothing: no scripts, no forms, no requests.
import { formattedMail } from './settings'
import { texts } from './texts'

const HEAD = `<!doctype html><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="color-scheme" content="light">
<style>body{font:15px/1.5 "Segoe UI",system-ui,sans-serif;margin:12px;color:#17222e;background:#fff;overflow-wrap:anywhere}img{max-width:100%;height:auto}</style>`

export function MailBody({ text, html, quietly = false }: { text: string; html: string; quietly?: boolean }) {
  const t = texts.value
  if (!html) return text ? <p class="pre" dir="auto">{text}</p> : quietly ? null : <p class="muted">{t.noText}</p>
  const formatted = formattedMail.value || !text
  // Nothing in the frame may run, so nothing can tell how high it is: an estimate, and the agent can drag it.
  const length = (text || html.replace(/<[^>]*>/g, ' ')).length
  const height = length < 300 ? 'mail-short' : length < 900 ? 'mail-medium' : ''
  return (
    <div class="mail-body">
      {text && (
        <div class="row small mail-choice">
          {([true, false] as const).map((choice) => (
            <button key={`${choice}`} type="button" class="link" aria-pressed={formatted === choice} onClick={() => (formattedMail.value = choice)}>
              {choice ? t.mailHtml : t.mailText}
            </button>
          ))}
          {formatted && <span class="muted">{t.remoteBlocked}</span>}
        </div>
      )}
      {formatted
        ? <iframe class={`mail-frame ${height}`} title={t.mailFrame} sandbox="" srcdoc={HEAD + html} referrerpolicy="no-referrer" />
        : <p class="pre" dir="auto">{text}</p>}
    </div>
  )
}
