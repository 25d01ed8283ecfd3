// Finds citizen service numbers (BSN) in text by their 11-proof, so that nobody sends one by accident.

const DIGITS = /(?<!\d)\d(?:[ .-]?\d){7,8}(?!\d)/g

/** Whether these eight or nine digits pass the 11-proof of a BSN. */
export function isBsn(digits: string): boolean {
  const nine = digits.padStart(9, '0')
  if (!/^\d{9}$/.test(nine) || /^0+$/.test(nine)) return false
  const sum = [...nine].reduce((total, digit, at) => total + Number(digit) * (at === 8 ? -1 : 9 - at), 0)
  return sum % 11 === 0
}

const found = (text: string): string[] => (text.match(DIGITS) ?? []).filter((one) => isBsn(one.replace(/\D/g, '')))

export const hasBsn = (text: string): boolean => found(text).length > 0

/** The text with every BSN covered. */
export const withoutBsn = (text: string): string =>
  found(text).reduce((covered, one) => covered.replace(one, '•••••••••'), text)
