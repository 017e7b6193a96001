import { markNegativeZeros } from './result-text.js'

/** A whole meta or data: whoever writes the answer as text takes its text, which need not be parsed and written anew. */
export class StoredJson {
  constructor(
    readonly text: string,
    private readonly parsed: () => unknown,
  ) {}

  /** As an answer that is an object is to hold it. */
  value(): unknown {
    return markNegativeZeros(this.parsed(), this.text)
  }
}

/** Null where the content says so: for GraphQL that is no value. */
export function storedJson(text: string, parsed: () => unknown): StoredJson | null {
  return text === 'null' ? null : new StoredJson(text, parsed)
}
