// Keyboard focus never falls to the page: when what had it goes away, the nearest part that is still there gets it.

const CAN = 'button:not(:disabled), a[href], input:not(:disabled), select:not(:disabled), textarea:not(:disabled), [tabindex="0"]'

const shown = (element: Element): boolean => element.isConnected && element.getClientRects().length > 0

/** The element that had focus last, and all around it. */
let path: Element[] = []

function remember(event: FocusEvent): void {
  path = event.composedPath().filter((one): one is Element => one instanceof Element)
}

function restore(): void {
  const [last, ...around] = path
  if (!last || shown(last) || (document.activeElement && document.activeElement !== document.body)) return
  for (const one of around) {
    if (one === document.body || !shown(one)) continue
    const next = one.matches('[tabindex="-1"]') ? one : [...one.querySelectorAll<HTMLElement>(CAN)].find(shown)
    if (!(next instanceof HTMLElement)) continue
    next.focus({ preventScroll: true })
    return
  }
}

export function keepFocus(): void {
  document.addEventListener('focusin', remember)
  new MutationObserver(restore).observe(document.body, { childList: true, subtree: true, attributeFilter: ['hidden'] })
}
