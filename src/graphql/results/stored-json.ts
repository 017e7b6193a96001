import type { AnswerSize } from './answer-size.js'
import { markNegativeZeros } from './result-text.js'

/** A complete `meta` or `data`. Compiled operations copy its text into the result, without parsing it. */
export class StoredJson {
  constructor(
    readonly text: string,
    private readonly parsed: () => unknown,
  ) {}

  /** The value for results of graphql-js, with marks for -0. */
  value(): unknown {
    return markNegativeZeros(this.parsed(), this.text)
  }
}

/**
 * Makes a StoredJson that becomes part of an answer. Null for the JSON text `null`, which GraphQL treats as no value,
 * and if the answer is too large already, because an error replaces it.
 */
export function storedJson(text: string, parsed: () => unknown, answer: AnswerSize): StoredJson | null {
  return text === 'null' || !answer.add(text) ? null : new StoredJson(text, parsed)
}
