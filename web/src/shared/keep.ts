// Small choices that this browser remembers (language, theme, sound). Never anything about a citizen.

export function kept(key: string): string | null {
  try {
    return localStorage.getItem(`kcc.${key}`)
  } catch {
    return null
  }
}

export function keep(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`kcc.${key}`)
    else localStorage.setItem(`kcc.${key}`, value)
  } catch {
    // A browser that keeps nothing still works; the choice lasts until the page closes.
  }
}
