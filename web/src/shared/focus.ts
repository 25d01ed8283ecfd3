// Keyboard focus never falls to the page: when what had it goes away, the nearest part that is still there gets it.
// `data-focus` marks what a part would rather have focused, `data-focus-not` what nobody should come upon unasked.

const CAN = 'button:not(:disabled), a[href], input:not(:disabled), select:not(:disabled), textarea:not(:disabled), [tabindex="0"]'

const shown = (element: Element): boolean => element.isConnected && element.getClientRects().length > 0

const within = (part: Element): HTMLElement | undefined =>
  part.matches('[tabindex="-1"]')
    ? (part as HTMLElement)
    : [...part.querySelectorAll<HTMLElement>('[data-focus]'), ...part.querySelectorAll<HTMLElement>(CAN)]
        .find((one) => shown(one) && !one.closest('[data-focus-not]'))

export function keepFocus(root: Document | ShadowRoot): void {
  /** The element that had focus last, and all around it. */
  let path: Element[] = []
  root.addEventListener('focusin', (event) => {
    path = event.composedPath().filter((one): one is Element => one instanceof Element && root.contains(one) && one !== document.body)
  })
  root.addEventListener('focusout', () => {
    const [left] = path
    // Who leaves of their own will is not fetched back.
    setTimeout(() => left && left === path[0] && shown(left) && !root.activeElement?.contains(left) && (path = []))
  })
  new MutationObserver(() => {
    const [last, ...around] = path
    if (!last || shown(last) || (document.activeElement && document.activeElement !== document.body)) return
    around.filter(shown).map(within).find(Boolean)?.focus({ preventScroll: true })
  }).observe(root, { childList: true, subtree: true, attributeFilter: ['hidden'] })
}
