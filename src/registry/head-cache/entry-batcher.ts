import type { EntryId } from '../../core/entry/entry-id.js'
import type { HeadEntries, HeadReader } from '../../store/contract/head-reader.js'

/** @bound Statements in flight that read entries at the head. Further readers wait and share the next one. */
const MOST_READS = 4
/** While they are for more readers than this, another is begun only for so many more: each costs as much as answering some of them. */
const FEW = 4
/**
 * @bound Waiting readers for which another statement starts while those in flight serve more than FEW readers. Each
 * statement costs as much as answering some of them.
 */
const WORTH_ONE = 40
/** @bound Ids in one statement that reads entries at the head, unless a single reader asks for more. */
const MOST_IDS = 64

interface Waiting {
  readonly ids: readonly EntryId[]
  resolve(found: HeadEntries): void
  reject(error: unknown): void
}

/** Reads entries at the head for many at once: whoever asks in one turn, or while enough is being read, shares a statement. */
export class EntryBatcher {
  #waiting: Waiting[] = []
  #reading = 0
  /** Readers that those are for. */
  #readers = 0
  #planned = false

  constructor(private readonly reader: Pick<HeadReader, 'entries'>) {}

  /** May hold others' entries too. */
  read(ids: readonly EntryId[]): Promise<HeadEntries> {
    return new Promise((resolve, reject) => this.ask(ids, resolve, reject))
  }

  /** As `read`, told instead of promised; neither may throw. */
  ask(ids: readonly EntryId[], resolve: Waiting['resolve'], reject: Waiting['reject']): void {
    this.#waiting.push({ ids, resolve, reject })
    this.#plan()
  }

  #plan(): void {
    if (this.#planned || !this.#mayRead()) return
    this.#planned = true
    setImmediate(() => {
      this.#planned = false
      while (this.#mayRead()) void this.#readTogether(this.#take())
    })
  }

  #mayRead(): boolean {
    const { length } = this.#waiting
    return length > 0 && this.#reading < MOST_READS && (this.#readers < FEW || length >= WORTH_ONE)
  }

  #take(): Waiting[] {
    let ids = 0
    let taken = 0
    for (const waiting of this.#waiting) {
      if (taken > 0 && ids + waiting.ids.length > MOST_IDS) break
      ids += waiting.ids.length
      taken += 1
    }
    return this.#waiting.splice(0, taken)
  }

  /** Never throws: each is settled. */
  async #readTogether(together: readonly Waiting[]): Promise<void> {
    this.#reading += 1
    this.#readers += together.length
    const found = await this.reader
      .entries([...new Set(together.flatMap(({ ids }) => ids))])
      .catch((error: unknown) => ({ error }))
    this.#reading -= 1
    this.#readers -= together.length
    this.#plan()
    for (const { resolve, reject } of together) 'error' in found ? reject(found.error) : resolve(found)
  }
}
