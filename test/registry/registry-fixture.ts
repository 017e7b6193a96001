import type { Criteria } from '../../src/core/criteria/criteria.js'
import { compileDependencyPatterns } from '../../src/core/dependency/compile-dependency-patterns.js'
import { DEFAULT_DEPENDENCY_PATTERNS } from '../../src/core/dependency/default-dependency-patterns.js'
import type { JsonObject } from '../../src/core/entry/json.js'
import { createRegistry, type RegistryOptions } from '../../src/registry/create-registry.js'
import type { ChangeBatch } from '../../src/registry/following/follow-input.js'
import type { Registry } from '../../src/registry/registry.js'
import type { RawOperation } from '../../src/registry/writing/write-input.js'
import type { History, HistoryOptions } from '../../src/store/contract/history.js'
import type { CommitOutcome } from '../../src/store/contract/history-writer.js'
import { openMemoryHistory } from '../../src/store/memory/memory-history.js'
import { compileRegex } from '../../src/store/planning/compile-regex.js'

export const references = compileDependencyPatterns(DEFAULT_DEPENDENCY_PATTERNS)

export const HISTORY_OPTIONS: HistoryOptions = {
  references,
  referencesFingerprint: 'default',
  compileRegex,
  readTimeoutMs: 5_000,
  commitTimeoutMs: 10_000,
}

export type Settings = Partial<Pick<RegistryOptions, 'limits' | 'progressMs' | 'logTail' | 'transactions'>>

export function registryOver(history: History, settings: Settings = {}): Registry {
  return createRegistry({ history, references, compileRegex, ...settings })
}

export function memoryRegistry(settings?: Settings): Registry {
  return registryOver(openMemoryHistory(HISTORY_OPTIONS), settings)
}

/** A history with some calls that are watched or fail. */
export function historyWith(history: History, changed: Partial<History>): History {
  return new Proxy(history, {
    get: (target, name) =>
      Object.hasOwn(changed, name) ? changed[name as keyof History] : (Reflect.get(target, name) as unknown),
  })
}

/** Counts the calls that read. */
export function countReads(history: History): { readonly history: History; reads: number } {
  const counted = { reads: 0, history }
  const reading = Object.entries(history).filter(
    ([name, value]) =>
      typeof value === 'function' && !['onAdvance', 'onConnectionLost', 'commit', 'close', 'isReady'].includes(name),
  )
  counted.history = historyWith(
    history,
    Object.fromEntries(
      reading.map(([name, read]) => [
        name,
        (...args: unknown[]) => {
          counted.reads += 1
          return (read as (...args: unknown[]) => unknown).apply(history, args)
        },
      ]),
    ),
  )
  return counted
}

export function create(
  id: string,
  meta: JsonObject = {},
  data: unknown = null,
  entryKind = 'test.thing',
): RawOperation {
  return { kind: 'CREATE', id, entryKind, meta, data }
}

export function update(
  id: string,
  meta: JsonObject = {},
  data: unknown = null,
  entryKind = 'test.thing',
): RawOperation {
  return { kind: 'UPDATE', id, entryKind, meta, data }
}

export function remove(id: string): RawOperation {
  return { kind: 'DELETE', id }
}

/** Applies and expects to succeed; the revision it made. */
export async function apply(registry: Registry, ...operations: RawOperation[]): Promise<number> {
  return revisionOf(await registry.applyChangeset({ operations }, { author: 'tester' }))
}

export async function rollback(registry: Registry, version: number): Promise<number | null> {
  const outcome = await registry.applyVersion({ version }, { author: 'tester' })
  if (outcome.type !== 'applied') throw new Error(`refused: ${JSON.stringify(outcome.problems)}`)
  return outcome.revision
}

export function revisionOf(outcome: CommitOutcome): number {
  if (outcome.type !== 'applied' || outcome.revision === null)
    throw new Error(`not applied: ${JSON.stringify(outcome)}`)
  return outcome.revision
}

/** Entries as a filter sees them at a revision: id and digest. */
export async function stateAt(registry: Registry, criteria: Criteria, revision: number): Promise<Map<string, string>> {
  const page = { limit: 10_000, after: null, before: null, fromEnd: false }
  const { items } = await registry.history.findEntries(criteria, 'ID_ASC', page, revision)
  return new Map(items.map(({ id, content }) => [id, content.digest]))
}

/** Applies a batch to the state of a client that follows the stream. Throws if the stream contradicts itself. */
export function fold(state: Map<string, string>, batch: Pick<ChangeBatch, 'changes'>): void {
  for (const { kind, id, entry } of batch.changes) {
    if ((kind === 'CREATE') === state.has(id))
      throw new Error(`${kind} of ${id}, which is ${state.has(id) ? 'there' : 'not there'}`)
    if (entry === null) state.delete(id)
    else state.set(id, entry.content.digest)
  }
}

/** Waits for the next item. @throws Error if there is none within `ms`, so that a silent stream fails its test */
export async function nextOf<Item>(stream: AsyncIterator<Item>, ms = 60_000): Promise<Item> {
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`No item within ${ms} ms`)), ms)
  })
  try {
    const result = await Promise.race([stream.next(), silence])
    if (result.done === true) throw new Error('The stream has ended')
    return result.value
  } finally {
    clearTimeout(timer)
  }
}

/** Returns whether no item arrives within `ms`. An item that arrives later is lost. */
export async function isSilent(stream: AsyncIterator<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<true>((resolve) => {
    timer = setTimeout(() => resolve(true), ms)
  })
  const silent = await Promise.race([silence, stream.next().then(() => false as const)])
  clearTimeout(timer)
  return silent
}

export async function takeUntilSynced(stream: AsyncIterator<ChangeBatch>): Promise<ChangeBatch[]> {
  const batches: ChangeBatch[] = []
  do batches.push(await nextOf(stream))
  while (!batches.at(-1)!.synced)
  return batches
}
