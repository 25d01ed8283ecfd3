// Light, dark, or as the device has it.
import { effect, signal } from '@preact/signals'
import { keep, kept } from './keep'

export type Theme = 'auto' | 'light' | 'dark'

const first = kept('theme')
export const theme = signal<Theme>(first === 'light' || first === 'dark' ? first : 'auto')

effect(() => {
  if (theme.value === 'auto') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme.value
})

export function chooseTheme(choice: Theme): void {
  theme.value = choice
  keep('theme', choice === 'auto' ? null : choice)
}
