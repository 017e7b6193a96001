/** @bound Gateways whose last event number is cached, to detect missing events. Those silent for longest are dropped. */
const MAX_GATEWAYS = 1_000

/** Detects events that did not arrive, by the numbers that each sending gateway gives to its events. */
export class EventGapDetector {
  readonly #last = new Map<string, number>()

  /** Returns how many events are missing before this one, or undefined if this one has arrived before. */
  receive({ from, n }: { readonly from: string; readonly n: number }): number | undefined {
    const last = this.#last.get(from)
    if (last !== undefined && n <= last) return undefined
    this.#last.delete(from)
    this.#last.set(from, n)
    if (this.#last.size > MAX_GATEWAYS) this.#last.delete(this.#last.keys().next().value!)
    return last === undefined ? 0 : n - last - 1
  }

  clear(): void {
    this.#last.clear()
  }
}
