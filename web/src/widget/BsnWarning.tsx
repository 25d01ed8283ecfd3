// Said before anything is sent: that looks like a BSN.
import { withoutBsn } from './bsn'
import { Sign } from './chat'
import type { Texts } from './texts'

export function BsnWarning({ t, text, change, send }: { t: Texts; text: string; change: (text: string) => void; send: () => void }) {
  return (
    <div class="warning" role="alert" data-testid="bsn-warning">
      <p><Sign />{t.bsn}</p>
      <div class="buttons">
        <button type="button" class="primary" onClick={() => change(withoutBsn(text))}>{t.bsnCover}</button>
        <button type="button" onClick={send}>{t.bsnSend}</button>
      </div>
    </div>
  )
}
