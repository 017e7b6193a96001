import type { Connection } from '../connecting/client-options.js'
import type { Batch, Change, Entry } from './change-batch.js'
import { type FollowOptions, follow } from './follow-registry.js'

/** The state that a replica stores, to continue after a restart of its program. */
export interface StoredReplica {
  readonly cursor: string
  readonly entries: readonly Entry[]
}

export interface ReplicaStorage {
  load(): Promise<StoredReplica | null> | StoredReplica | null
  save(stored: StoredReplica): Promise<void> | void
}

export interface ReplicaOptions extends Pick<FollowOptions, 'find' | 'where'> {
  readonly storage?: ReplicaStorage
}

/** The changes of one revision, or the difference that a compacted history left. */
export interface ReplicaChange {
  readonly revision: number
  readonly changes: readonly Change[]
}

type Listener = (change: ReplicaChange) => void

/** A local copy of the matching entries, which follows the registry. At each revision it equals `entries` with its filter. */
export class Replica {
  /** Resolves when the copy has caught up with the head. Rejects if the gateway refuses the filter. */
  readonly ready: Promise<void>
  #entries = new Map<string, Entry>()
  #cursor: string | null = null
  #revision = -1
  readonly #listeners = new Set<Listener>()
  readonly #closing = new AbortController()
  readonly #ended: Promise<void>
  #saving: Promise<void> = Promise.resolve()
  #isSaving = false

  constructor(
    private readonly connection: Connection,
    private readonly options: ReplicaOptions,
  ) {
    let begin!: () => void
    let fail!: (error: unknown) => void
    this.ready = new Promise((resolve, reject) => {
      begin = resolve
      fail = reject
    })
    // A caller that awaits `ready` gets the error.
    this.ready.catch(() => undefined)
    this.#ended = this.#run(begin).then(begin, fail)
  }

  /** The position of the copy; null before the first revision is complete. */
  get cursor(): string | null {
    return this.#cursor
  }

  /** The revision that the copy equals; -1 before the first one is complete. */
  get revision(): number {
    return this.#revision
  }

  get(id: string): Entry | undefined {
    return this.#entries.get(id)
  }

  entries(): readonly Entry[] {
    return [...this.#entries.values()]
  }

  find(matches: (entry: Entry) => boolean): readonly Entry[] {
    return this.entries().filter(matches)
  }

  /** Calls the listener after each revision that changed the copy. Returns a function that removes it. */
  on(_event: 'change', listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Ends following, and resolves when the last state is stored. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#ended
    await this.#saving
  }

  async #run(begin: () => void): Promise<void> {
    const { storage, ...filter } = this.options
    const stored = (await storage?.load()) ?? null
    if (stored !== null) {
      this.#entries = new Map(stored.entries.map((entry) => [entry.id, entry]))
      this.#cursor = stored.cursor
    }
    let staged: Batch[] = []
    // The first revision is a whole state, unless the copy was stored.
    let isWhole = stored === null
    const position = stored === null ? { initial: true } : { after: stored.cursor }
    for await (const batch of follow(this.connection, { ...filter, ...position, signal: this.#closing.signal })) {
      if (batch.reset) {
        staged = []
        isWhole = true
      }
      staged.push(batch)
      if (!batch.complete && batch.changes.length > 0) continue
      const changes = staged.flatMap((each) => each.changes)
      staged = []
      this.#apply(isWhole ? this.#difference(changes) : changes, batch)
      isWhole = false
      if (batch.synced) begin()
    }
  }

  #apply(changes: readonly Change[], { cursor, revision }: Batch): void {
    for (const { entryId, entry } of changes)
      if (entry === null) this.#entries.delete(entryId)
      else this.#entries.set(entryId, entry)
    this.#cursor = cursor
    this.#revision = revision
    if (changes.length > 0) for (const listener of this.#listeners) listener({ revision, changes })
    this.#save()
  }

  /** The changes that lead from the copy to a whole state. */
  #difference(state: readonly Change[]): readonly Change[] {
    const there = new Set(state.map(({ entryId }) => entryId))
    const gone = [...this.#entries.keys()].filter((id) => !there.has(id))
    return [
      ...gone.map((entryId): Change => ({ kind: 'DELETE', entryId, entry: null })),
      ...state.flatMap((change): Change[] => {
        const before = this.#entries.get(change.entryId)
        if (before === undefined) return [change]
        return before.revision === change.entry?.revision ? [] : [{ ...change, kind: 'UPDATE' }]
      }),
    ]
  }

  /** Stores the latest state, one at a time. */
  #save(): void {
    const { storage } = this.options
    if (storage === undefined || this.#isSaving) return
    this.#isSaving = true
    this.#saving = this.#saving.then(async () => {
      this.#isSaving = false
      await storage.save({ cursor: this.#cursor!, entries: this.entries() })
    })
    // Reported by `close`.
    this.#saving.catch(() => undefined)
  }
}
