import { setTimeout as sleep } from 'node:timers/promises'
import { type OpenStream, openStream, type Transport } from './following-stream.js'

export const CHANGES = `subscription ($after: String, $initial: Boolean, $find: JSONObject, $where: EntryFilter) {
  changes(after: $after, initial: $initial, find: $find, where: $where) {
    cursor revision complete synced version { number }
    changes { kind entryId entry { digest revision } previous { digest } }
  }
}`

export interface Batch {
  readonly cursor: string
  readonly revision: number
  readonly complete: boolean
  readonly synced: boolean
  readonly version: { readonly number: number }
  readonly changes: readonly {
    readonly kind: 'CREATE' | 'UPDATE' | 'DELETE'
    readonly entryId: string
    readonly entry: { readonly digest: string; readonly revision: number } | null
    readonly previous: { readonly digest: string } | null
  }[]
}

/** The state of a client that folds a stream: the digests of the matching entries, by id. */
export type Folded = Map<string, string>

/** Applies a batch to the folded state and returns its contradictions. */
export function fold(state: Folded, batch: Batch): string[] {
  const faults: string[] = []
  for (const { kind, entryId, entry, previous } of batch.changes) {
    const held = state.get(entryId)
    if ((kind === 'CREATE') === (held !== undefined))
      faults.push(`${kind} of ${entryId} at ${batch.revision}, which is ${held === undefined ? 'not ' : ''}there`)
    if ((previous?.digest ?? undefined) !== held)
      faults.push(`${entryId} at ${batch.revision}: the content before is another`)
    if ((kind === 'DELETE') !== (entry === null))
      faults.push(`${kind} of ${entryId} at ${batch.revision} with the wrong content`)
    if (entry === null) state.delete(entryId)
    else state.set(entryId, entry.digest)
  }
  return faults
}

/** Follows changes over any gateway that is up, and resumes with its cursor whenever it is cut off. */
export class FollowingClient {
  /** All batches received, in order. */
  readonly batches: Batch[] = []
  /** The folded state after each complete revision. */
  readonly held = new Map<number, Folded>()
  readonly faults: string[] = []
  connections = 0
  readonly done: Promise<void>
  readonly #state: Folded = new Map()
  #stream: OpenStream | null = null
  #ended = false

  constructor(
    readonly transport: Transport,
    private readonly endpoints: readonly string[],
    readonly filter: { readonly find?: object | null; readonly where?: object | null },
  ) {
    this.done = this.#run()
  }

  get revision(): number {
    const last = this.batches.at(-1)
    return last === undefined ? -1 : last.complete ? last.revision : last.revision - 1
  }

  cut(): void {
    this.#stream?.cut()
  }

  end(): Promise<void> {
    this.#ended = true
    this.cut()
    return this.done
  }

  async #run(): Promise<void> {
    while (!this.#ended) {
      const endpoint = this.endpoints[Math.floor(Math.random() * this.endpoints.length)]!
      const stream = (this.#stream = openStream(this.transport, endpoint, CHANGES, {
        initial: true,
        after: this.batches.at(-1)?.cursor ?? null,
        ...this.filter,
      }))
      this.connections += 1
      for (;;) {
        const result = await stream.next(60_000).catch(() => null)
        if (result === null) break
        if (result.errors !== undefined) {
          // The store may be unavailable when a stream begins.
          const code = result.errors[0]?.extensions['code'] as string
          if (!['UNAVAILABLE', 'TIMEOUT'].includes(code)) this.faults.push(`${code}: ${result.errors[0]?.message}`)
          break
        }
        this.#take(result.data.changes as Batch)
      }
      stream.cut()
      await sleep(20)
    }
  }

  #take(batch: Batch): void {
    this.faults.push(...fold(this.#state, batch))
    this.batches.push(batch)
    if (batch.complete) this.held.set(batch.revision, new Map(this.#state))
  }
}
