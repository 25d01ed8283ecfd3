// What the server refused, as one error for REST and Socket.IO alike.
import type { RefusalCode, WireError } from './protocol'

export class Refusal extends Error {
  readonly code: RefusalCode
  readonly field: string | undefined

  constructor(error: WireError) {
    super(error.message)
    this.code = error.code
    this.field = error.field
  }
}

export const noAnswer = (): Refusal => new Refusal({ code: 'no_answer', message: '' })
