import DataLoader from 'dataloader'
import type { Steps } from '../../core/algorithms/steps.js'
import type { EntryRevision } from '../../core/entry/entry.js'
import type { EntryId } from '../../core/entry/entry-id.js'
import type { Instance } from '../../core/entry/instance.js'
import type { Change } from '../../core/history/change.js'
import type { Tag } from '../../core/history/tag.js'
import type { Head, Transition, Version } from '../../core/history/version.js'
import type { Registry } from '../../registry/registry.js'
import { NO_SOURCES } from '../../sources/running/no-sources.js'
import type { SourceState } from '../../sources/running/source-state.js'
import type { Sources } from '../../sources/running/sources.js'
import {
  type EntryRevisionKey,
  entryRevisionKey,
  type PageOf,
  type ReferencePosition,
  type ReferenceRow,
} from '../../store/contract/history-reader.js'
import { type ReadGate, UNGATED } from './heavy-work.js'
import { type PageKey, pagedLoader } from './paged-loader.js'

/** Batches and caches the reads of one request. Keys loaded in the same event-loop tick are read in one statement. */
export interface Loaders {
  /** The head when this request first read it. */
  readonly head: () => Promise<Head>
  /** The oldest readable revision when this request first read it. */
  readonly oldestRevision: () => Promise<number>
  /** An entry at the head. */
  readonly entry: DataLoader<EntryId, EntryRevision | null>
  /** An entry at a revision. */
  readonly entryAt: DataLoader<EntryRevisionKey, EntryRevision | null, string>
  /** The content that a revision gave to an entry; null if it did not change the entry. */
  readonly entryRevision: DataLoader<EntryRevisionKey, EntryRevision | null, string>
  readonly history: DataLoader<PageKey<EntryId, number>, PageOf<EntryRevision>, string>
  readonly historyCount: DataLoader<EntryId, number>
  readonly dependents: DataLoader<PageKey<EntryId, ReferencePosition>, PageOf<ReferenceRow>, string>
  readonly group: DataLoader<PageKey<string, EntryId>, PageOf<EntryRevision>, string>
  readonly namespace: DataLoader<PageKey<string, EntryId>, PageOf<EntryRevision>, string>
  readonly instances: DataLoader<EntryId, readonly Instance[]>
  /** A live instance. */
  readonly instance: DataLoader<string, Instance | null>
  readonly instanceMetadata: DataLoader<string, string | null>
  readonly version: DataLoader<number, Version | null>
  readonly children: DataLoader<number, readonly Version[]>
  readonly source: DataLoader<string, SourceState | null>
  readonly tag: DataLoader<string, Tag | null>
  readonly tagsOf: DataLoader<number, readonly Tag[]>
  readonly transition: DataLoader<number, Transition | null>
  /** Null if the revision has been compacted. */
  readonly changes: DataLoader<PageKey<number, number>, PageOf<Change> | null, string>
  /** All changes of the revisions that this request has just made, which need not be read. */
  readonly madeChanges: Map<number, () => Steps<readonly Change[]>>
}

type LoaderFactories = {
  readonly [Name in keyof Loaders]: (registry: Registry, read: ReadGate, sources: Sources) => Loaders[Name]
}

const EMPTY_PAGE = { items: [], hasMore: false } as const

const FACTORIES: LoaderFactories = {
  head: (registry, read) => {
    let head: Promise<Head> | undefined
    return () => (head ??= read(() => registry.head()))
  },
  oldestRevision: ({ history }, read) => {
    let oldest: Promise<number> | undefined
    return () => (oldest ??= read(() => history.oldestRevision()))
  },
  entry: (registry, read) => byKey(read, (ids) => registry.entriesAtHead(ids), null),
  entryAt: ({ history }, read) =>
    new DataLoader((keys) => read(() => entriesAt(history, keys)), { cacheKeyFn: entryRevisionKey }),
  entryRevision: ({ history }, read) =>
    new DataLoader(
      async (keys) => {
        const found = await read(() => history.entryRevisions(keys))
        return keys.map((key) => found.get(entryRevisionKey(key)) ?? null)
      },
      { cacheKeyFn: entryRevisionKey },
    ),
  history: ({ history }, read) => pagedLoader(read, (ids, page) => history.entryHistories(ids, page), EMPTY_PAGE),
  historyCount: ({ history }, read) => byKey(read, (ids) => history.entryHistoryCounts(ids), 0),
  dependents: ({ history }, read) => pagedLoader(read, (ids, page) => history.dependents(ids, page), EMPTY_PAGE),
  group: ({ history }, read) => pagedLoader(read, (groups, page) => history.entriesInGroups(groups, page), EMPTY_PAGE),
  namespace: ({ history }, read) =>
    pagedLoader(read, (namespaces, page) => history.entriesInNamespaces(namespaces, page), EMPTY_PAGE),
  instances: ({ history }, read) => byKey(read, async (ids) => (await history.instances.live(ids)).of, []),
  instance: ({ history }, read) => byKey(read, (ids) => history.instances.byId(ids), null),
  instanceMetadata: ({ history }, read) => byKey(read, (ids) => history.instances.metadata(ids), null),
  version: ({ history }, read) => byKey(read, (numbers) => history.versions(numbers), null),
  children: ({ history }, read) => byKey(read, (numbers) => history.children(numbers), []),
  source: (_registry, read, sources) => byKey(read, (names) => sources.byName(names), null),
  tag: ({ history }, read) => byKey(read, (names) => history.tags(names), null),
  tagsOf: ({ history }, read) => byKey(read, (versions) => history.tagsOf(versions), []),
  transition: ({ history }, read) => byKey(read, (revisions) => history.transitions(revisions), null),
  changes: ({ history }, read) => pagedLoader(read, (revisions, page) => history.changesOf(revisions, page), null),
  madeChanges: () => new Map(),
}

/** Creates each loader on first use. Most requests use one or two, and creating all took as long as a short query. */
class LazyLoaders {
  readonly created: { -readonly [Name in keyof Loaders]?: Loaders[Name] } = {}

  constructor(
    readonly registry: Registry,
    readonly read: ReadGate,
    readonly sources: Sources,
  ) {}
}

for (const name of Object.keys(FACTORIES) as (keyof Loaders)[]) {
  Object.defineProperty(LazyLoaders.prototype, name, {
    get(this: LazyLoaders) {
      return (this.created[name] ??= FACTORIES[name](this.registry, this.read, this.sources) as never)
    },
  })
}

/** @param read - Runs each read of the loaders */
export function createLoaders(registry: Registry, read: ReadGate = UNGATED, sources: Sources = NO_SOURCES): Loaders {
  return new LazyLoaders(registry, read, sources) as unknown as Loaders
}

function byKey<Key, Found>(
  gate: ReadGate,
  read: (keys: readonly Key[]) => Promise<ReadonlyMap<Key, Found>>,
  absent: Found,
): DataLoader<Key, Found> {
  return new DataLoader(async (keys) => {
    const found = await gate(() => read(keys))
    return keys.map((key) => found.get(key) ?? absent)
  })
}

/** Reads one statement for each revision. Nearly always there is only one. */
async function entriesAt(
  history: Registry['history'],
  keys: readonly EntryRevisionKey[],
): Promise<(EntryRevision | null)[]> {
  const ids = new Map<number, EntryId[]>()
  for (const { id, revision } of keys) {
    const requested = ids.get(revision)
    if (requested === undefined) ids.set(revision, [id])
    else requested.push(id)
  }
  const found = new Map<number, Map<EntryId, EntryRevision>>()
  for (const [revision, requested] of ids) found.set(revision, await history.entries(requested, revision))
  return keys.map(({ id, revision }) => found.get(revision)?.get(id) ?? null)
}
