/**
 * Buffers items until they are read. The inbox ends when its reader returns, when the signal aborts or with an error, and drops items that
 * come later. It has no bound of its own: the writer checks `size` and `bytes` before it pushes.
 */
export class Inbox<Item> implements AsyncIterableIterator<Item> {
  readonly #items: { readonly item: Item; readonly bytes: number }[] = []
  #bytes = 0
  #error: Error | null = null
  #wake: (() => void) | null = null
  readonly #ended = new AbortController()

  constructor(signal: AbortSignal) {
    const end = () => this.#end()
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true, signal: this.#ended.signal })
  }

  /** Aborts when the inbox has ended. */
  get ended(): AbortSignal {
    return this.#ended.signal
  }

  get size(): number {
    return this.#items.length
  }

  get bytes(): number {
    return this.#bytes
  }

  get last(): Item | undefined {
    return this.#items.at(-1)?.item
  }

  push(item: Item, bytes: number): void {
    if (this.#ended.signal.aborted) return
    this.#items.push({ item, bytes })
    this.#bytes += bytes
    this.#wake?.()
  }

  fail(error: Error): void {
    this.#error ??= error
    this.#end()
  }

  async next(): Promise<IteratorResult<Item, undefined>> {
    while (this.#items.length === 0 && !this.#ended.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = null
    }
    const error = this.#error
    this.#error = null
    if (error !== null) throw error
    const first = this.#ended.signal.aborted ? undefined : this.#items.shift()
    if (first === undefined) return { done: true, value: undefined }
    this.#bytes -= first.bytes
    return { done: false, value: first.item }
  }

  async return(): Promise<IteratorResult<Item, undefined>> {
    this.#end()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #end(): void {
    if (this.#ended.signal.aborted) return
    this.#items.length = 0
    this.#bytes = 0
    this.#ended.abort()
    this.#wake?.()
  }
}
