// The REST requests that the pages make, and what they throw: always a Refusal.
import type { CentreNames, EstimateList, OutcomeReport, Recording, TransferReport, Problem, Session, Titles } from './protocol'
import { Refusal, noAnswer } from './refusal'

async function request(method: string, path: string, body?: unknown): Promise<Response> {
  let response: Response
  try {
    response = await fetch(path, {
      method,
      credentials: 'same-origin',
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
    })
  } catch {
    throw noAnswer()
  }
  if (response.ok) return response
  const problem = (await response.json().catch(() => null)) as Partial<Problem> | null
  throw new Refusal({
    code: problem?.code ?? (response.status === 401 ? 'not_signed_in' : 'unavailable'),
    message: problem?.detail ?? problem?.title ?? `${response.status}`,
    ...(problem?.field ? { field: problem.field } : {}),
  })
}

const json = async <T>(method: string, path: string, body?: unknown): Promise<T> =>
  (await request(method, path, body)).json() as Promise<T>

export const signIn = (user: string, password: string): Promise<Session> =>
  json<Session>('POST', '/api/v1/session', { user, password })

/** Null when nobody is signed in. */
export async function whoAmI(): Promise<Session | null> {
  try {
    return await json<Session>('GET', '/api/v1/session')
  } catch (error) {
    if (error instanceof Refusal && error.code === 'not_signed_in') return null
    throw error
  }
}

export const signOut = async (): Promise<void> => void (await request('DELETE', '/api/v1/session'))

type Listed<T> = (T & { id: string })[] | Record<string, T> | undefined

/** A list, whether it came as a list or as a table by id. */
function listed<T extends object>(value: Listed<T>): (T & { id: string })[] {
  if (!value) return []
  return Array.isArray(value) ? value : Object.entries(value).map(([id, item]) => ({ ...item, id }))
}

type RawCentre = Omit<CentreNames, 'pause_reasons'> & {
  pause_reasons?: { id: string; title: Titles }[] | Record<string, Titles>
}

export async function centreNames(): Promise<CentreNames> {
  const raw = await json<RawCentre>('GET', '/api/v1/centre')
  const reasons = raw.pause_reasons ?? []
  return {
    ...raw,
    languages: raw.languages ?? ['nl', 'en'],
    municipalities: listed(raw.municipalities),
    topics: listed(raw.topics),
    queues: listed(raw.queues),
    agents: listed(raw.agents),
    pause_reasons: Array.isArray(reasons) ? reasons : Object.entries(reasons).map(([id, title]) => ({ id, title })),
  }
}

export const documentAddress = (ref: string): string => `/api/v1/documents/${encodeURIComponent(ref)}`

/** The bytes of a document; the look is recorded at the server before they come. */
export const readDocument = async (ref: string): Promise<Blob> => (await request('GET', documentAddress(ref))).blob()

/** Those that one may listen to, newest first. */
export const recordings = async (before = 0): Promise<Recording[]> => (await json<{ recordings: Recording[] }>('GET', `/api/v1/recordings?before=${before}`)).recordings

export const outcomes = (days: number): Promise<OutcomeReport> => json('GET', `/api/v1/outcomes?days=${days}`)

export const transfers = (days: number): Promise<TransferReport> => json('GET', `/api/v1/transfers?days=${days}`)

/** What is expected of whom; an agent gets their own alone. */
export const estimates = (): Promise<EstimateList> => json('GET', '/api/v1/estimates')

export const switchEstimates = (on: boolean, topic: string, agent: string, why: string): Promise<EstimateList> =>
  json('POST', '/api/v1/estimates/switch', { on, topic, agent, why })
