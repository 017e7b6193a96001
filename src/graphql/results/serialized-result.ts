import type { ExecutionResult } from 'graphql'

/** A result without errors that is already JSON text. Reading `data` parses it. */
export class SerializedResult implements ExecutionResult {
  declare readonly data: NonNullable<ExecutionResult['data']>
  readonly #dataText: string

  /** @param dataText - The JSON text of `data` */
  constructor(dataText: string) {
    this.#dataText = dataText
    Object.defineProperty(this, 'data', { enumerable: true, get: () => JSON.parse(dataText) as unknown })
  }

  get text(): string {
    return `{"data":${this.#dataText}}`
  }
}
