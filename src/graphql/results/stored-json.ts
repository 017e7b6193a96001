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

/** Makes a StoredJson; null for the JSON text `null`, which GraphQL treats as no value. */
export function storedJson(text: string, parsed: () => unknown): StoredJson | null {
  return text === 'null' ? null : new StoredJson(text, parsed)
}
