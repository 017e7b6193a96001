import { LRUCache } from 'lru-cache'
import type { Transition, Version } from '../../../core/history/version.js'

/** @bound Size of the cached versions, and of the cached transitions. */
const CACHED_BYTES = 8 * 1024 * 1024
/** Bytes of one cached row besides its texts. */
const ROW_BYTES = 400

type Rows<Row> = ReadonlyMap<number, Row>

/**
 * Caches rows that never change once they are written, by number. A row that exists has one content for good, so
 * neither other gateways nor compaction make it stale. What does is a store that continues another history after a
 * failover or a restore: `clear` is called whenever the connection to the store is lost. Missing rows are not cached.
 *
 *   commit ── rows that it wrote ──▶ cache ◀── rows that were read ── database
 */
export class ImmutableRows<Row> {
  readonly #rows: LRUCache<number, { readonly row: Row }>
  /** Reads in flight, by the number that they read. */
  readonly #reading = new Map<number, Promise<Rows<Row>>>()
  /** Counts the calls of `clear`, so that no read that began before one adds rows after it. */
  #clears = 0

  /**
   * @param isSame - whether two rows of one number are of the same history
   * @param textBytes - the size of a row's texts
   */
  constructor(
    private readonly isSame: (a: Row, b: Row) => boolean,
    textBytes: (row: Row) => number,
    bytes = CACHED_BYTES,
  ) {
    this.#rows = new LRUCache({ maxSize: bytes, sizeCalculation: ({ row }) => ROW_BYTES + textBytes(row) })
  }

  get size(): number {
    return this.#rows.size
  }

  /** Returns rows by number, without those that do not exist. `read` reads the ones that are not cached, in one statement. */
  async rows(
    numbers: readonly number[],
    read: (numbers: readonly number[]) => Promise<Rows<Row>>,
  ): Promise<Map<number, Row>> {
    const found = new Map<number, Row>()
    const missing: number[] = []
    const awaited = new Set<Promise<Rows<Row>>>()
    for (const number of numbers) {
      const cached = this.#rows.get(number)
      const reading = cached === undefined ? this.#reading.get(number) : undefined
      if (cached !== undefined) found.set(number, cached.row)
      else if (reading !== undefined) awaited.add(reading)
      else missing.push(number)
    }
    const own = missing.length === 0 ? null : this.#read(missing, read)
    for (const reading of awaited) {
      // Its error belongs to the request that began it, and a row may have been written since it began.
      const others = await reading.catch(() => null)
      for (const number of numbers) if (others?.has(number)) found.set(number, others.get(number)!)
    }
    if (own !== null) for (const [number, row] of await own) found.set(number, row)
    const unread = awaited.size === 0 ? [] : numbers.filter((number) => !found.has(number) && !missing.includes(number))
    if (unread.length > 0) for (const [number, row] of await this.#read(unread, read)) found.set(number, row)
    return found
  }

  /** Adds rows that were just written. */
  add(number: number, row: Row): void {
    const cached = this.#rows.peek(number)
    // Another history has the number. The others may be of that history too.
    if (cached !== undefined && !this.isSame(cached.row, row)) this.clear()
    this.#rows.set(number, { row })
  }

  /** Drops everything, because the store may continue another history. */
  clear(): void {
    this.#clears += 1
    this.#rows.clear()
    this.#reading.clear()
  }

  #read(numbers: readonly number[], read: (numbers: readonly number[]) => Promise<Rows<Row>>): Promise<Rows<Row>> {
    const clears = this.#clears
    const reading = read(numbers).then(
      (rows) => {
        this.#settle(numbers, reading)
        if (clears === this.#clears) for (const [number, row] of rows) this.add(number, row)
        return rows
      },
      (error: unknown) => {
        this.#settle(numbers, reading)
        throw error
      },
    )
    for (const number of numbers) this.#reading.set(number, reading)
    return reading
  }

  #settle(numbers: readonly number[], reading: Promise<Rows<Row>>): void {
    for (const number of numbers) if (this.#reading.get(number) === reading) this.#reading.delete(number)
  }
}

/** The versions and transitions of a store. Tags, the head and what compaction removes are not among them. */
export interface HistoryRows {
  readonly versions: ImmutableRows<Version>
  readonly transitions: ImmutableRows<Transition>
}

export function historyRows(): HistoryRows {
  return {
    versions: new ImmutableRows<Version>((a, b) => a.digest === b.digest, textBytes),
    transitions: new ImmutableRows<Transition>(isSameTransition, textBytes),
  }
}

function textBytes({ author, message }: Pick<Version, 'author' | 'message'>): number {
  return 2 * ((author?.length ?? 0) + (message?.length ?? 0))
}

function isSameTransition(a: Transition, b: Transition): boolean {
  return a.from === b.from && a.to === b.to && a.createdAt.getTime() === b.createdAt.getTime()
}
