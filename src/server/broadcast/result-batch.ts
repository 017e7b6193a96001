import type { FrameCache } from './frame-memory.js'
import type { SharedResult } from './shared-result.js'

/** Results that are handed to a client together, and to others who stand where it stood. */
export class ResultBatch implements Iterable<SharedResult> {
  #frames: { readonly key: string; readonly bytes: Buffer } | null = null

  /** @param results one after the other, at least one */
  constructor(
    private results: readonly SharedResult[],
    private readonly memory: FrameCache,
  ) {}

  get length(): number {
    return this.results.length
  }

  get last(): SharedResult {
    return this.results.at(-1)!
  }

  [Symbol.iterator](): IterableIterator<SharedResult> {
    return this.results[Symbol.iterator]()
  }

  /** Their bytes on a wire: made once for all whose `key` is the same, as it is of clients that name their operations alike. */
  frames(key: string, write: (texts: readonly Buffer[]) => Buffer): Buffer {
    if (this.#frames?.key === key) return this.#frames.bytes
    const bytes = write(this.results.map(({ text }) => text))
    if (this.#frames === null) this.memory.made(this, bytes.length)
    this.#frames = { key, bytes }
    return bytes
  }

  /** Nobody is to be handed it any more: others have it made anew. What remembers it is not to hold what is in it. May be called again. */
  forget(): void {
    const [first] = this.results
    if (first?.stretch === this) first.stretch = null
    this.#frames = null
    this.results = []
  }
}
