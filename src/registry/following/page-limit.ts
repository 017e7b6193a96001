/**
 * Adapts the number of items in a page so that its size stays near `targetBytes`. The store counts items, and an item
 * may have 300 bytes or 2 MiB (an update of the largest entry). That is why the first page is small.
 */
export class PageLimit {
  #limit = 8

  constructor(
    private readonly targetBytes = 4 * 1024 * 1024,
    private readonly most = 1_000,
  ) {}

  get limit(): number {
    return this.#limit
  }

  /** Adapts the limit to a page that was read. */
  record(items: number, bytes: number): void {
    if (items === 0) return
    const fitting = Math.floor(this.targetBytes / (bytes / items))
    this.#limit = Math.max(1, Math.min(this.most, fitting, this.#limit * 4))
  }

  /** Adapts the limit to a page that took too long. */
  halve(): void {
    this.#limit = Math.max(1, this.#limit >> 1)
  }
}
