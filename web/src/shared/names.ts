// The centre's own words: what a topic, queue, municipality, colleague or pause reason is called.
import { signal } from '@preact/signals'
import { centreNames } from './api'
import { titled } from './i18n'
import type { CentreNames } from './protocol'
import { words } from './words'

export const centre = signal<CentreNames | null>(null)

export async function learnNames(): Promise<void> {
  centre.value = await centreNames()
}

const find = <T extends { id: string }>(list: T[] | undefined, id: string): T | undefined =>
  list?.find((item) => item.id === id)

export const topicName = (id: string): string => titled(find(centre.value?.topics, id)?.title, id)
export const queueName = (id: string): string => titled(find(centre.value?.queues, id)?.title, id)
export const municipalityName = (id: string): string => find(centre.value?.municipalities, id)?.name ?? id
export const agentName = (id: string): string => find(centre.value?.agents, id)?.name ?? id

/** Somebody outside; a number that was typed has no name. */
export const destinationName = (id: string): string => titled(find(centre.value?.destinations, id)?.title, words.value.typedNumber)

/** A pause reason: the server's own, one of the centre's, or as it stands. */
export function reasonName(id: string): string {
  if (!id) return ''
  const own = words.value.ownReasons as Record<string, string>
  return own[id] ?? titled(find(centre.value?.pause_reasons, id)?.title, id)
}
