import DataLoader from 'dataloader'
import type { EntryRevision } from '../../core/entry/entry.js'
import type { EntryId } from '../../core/entry/entry-id.js'
import type { Instance } from '../../core/entry/instance.js'
import type { Change } from '../../core/history/change.js'
import type { Tag } from '../../core/history/tag.js'
import type { Head, Transition, Version } from '../../core/history/version.js'
import type { Registry } from '../../registry/registry.js'
import {
  type EntryRevisionKey,
  entryRevisionKey,
  type PageOf,
  type ReferenceRow,
} from '../../store/contract/history-reader.js'
import { type PageKey, pagedLoader } from './paged-loader.js'

/** What one request has asked for already; whatever is asked for in the same turn is read in one statement. */
export interface Loaders {
  /** Where the registry stood when this request first asked. */
  readonly head: () => Promise<Head>
  /** The oldest revision that could be read when this request first asked. */
  readonly oldestRevision: () => Promise<number>
  /** An entry at the head. */
  readonly entry: DataLoader<EntryId, EntryRevision | null>
  /** An entry as it stood at a revision. */
  readonly entryAt: DataLoader<EntryRevisionKey, EntryRevision | null, string>
  /** The content that a revision gave an entry. */
  readonly entryRevision: DataLoader<EntryRevisionKey, EntryRevision | null, string>
  readonly history: DataLoader<PageKey<EntryId, number>, PageOf<EntryRevision>, string>
  readonly historyCount: DataLoader<EntryId, number>
  readonly dependents: DataLoader<EntryId, readonly ReferenceRow[]>
  readonly group: DataLoader<string, readonly EntryRevision[]>
  readonly namespace: DataLoader<string, readonly EntryRevision[]>
  readonly instances: DataLoader<EntryId, readonly Instance[]>
  readonly instanceMetadata: DataLoader<string, string | null>
  readonly version: DataLoader<number, Version | null>
  readonly children: DataLoader<number, readonly Version[]>
  readonly tag: DataLoader<string, Tag | null>
  readonly tagsOf: DataLoader<number, readonly Tag[]>
  readonly transition: DataLoader<number, Transition | null>
  /** Null where the revision has been compacted away. */
  readonly changes: DataLoader<PageKey<number, number>, PageOf<Change> | null, string>
}

type Makers = { readonly [Name in keyof Loaders]: (registry: Registry) => Loaders[Name] }

const NOTHING = { items: [], hasMore: false } as const

const MAKERS: Makers = {
  head: (registry) => {
    let head: Promise<Head> | undefined
    return () => (head ??= registry.head())
  },
  oldestRevision: ({ history }) => {
    let oldest: Promise<number> | undefined
    return () => (oldest ??= history.oldestRevision())
  },
  entry: (registry) => byKey((ids) => registry.entriesAtHead(ids), null),
  entryAt: ({ history }) => new DataLoader((keys) => entriesAt(history, keys), { cacheKeyFn: entryRevisionKey }),
  entryRevision: ({ history }) =>
    new DataLoader(
      async (keys) => {
        const found = await history.entryRevisions(keys)
        return keys.map((key) => found.get(entryRevisionKey(key)) ?? null)
      },
      { cacheKeyFn: entryRevisionKey },
    ),
  history: ({ history }) => pagedLoader((ids, page) => history.entryHistories(ids, page), NOTHING),
  historyCount: ({ history }) => byKey((ids) => history.entryHistoryCounts(ids), 0),
  dependents: ({ history }) => byKey((ids) => history.dependents(ids), []),
  group: ({ history }) => byKey((groups) => history.entriesInGroups(groups), []),
  namespace: ({ history }) => byKey((namespaces) => history.entriesInNamespaces(namespaces), []),
  instances: ({ history }) => byKey(async (ids) => (await history.instances.live(ids)).of, []),
  instanceMetadata: ({ history }) => byKey((ids) => history.instances.metadata(ids), null),
  version: ({ history }) => byKey((numbers) => history.versions(numbers), null),
  children: ({ history }) => byKey((numbers) => history.children(numbers), []),
  tag: ({ history }) => byKey((names) => history.tags(names), null),
  tagsOf: ({ history }) => byKey((versions) => history.tagsOf(versions), []),
  transition: ({ history }) => byKey((revisions) => history.transitions(revisions), null),
  changes: ({ history }) => pagedLoader((revisions, page) => history.changesOf(revisions, page), null),
}

/** Each loader is made when it is first asked for: most requests use one or two, and making all took as long as a short query. */
class RequestLoaders {
  readonly made: { -readonly [Name in keyof Loaders]?: Loaders[Name] } = {}

  constructor(readonly registry: Registry) {}
}

for (const name of Object.keys(MAKERS) as (keyof Loaders)[]) {
  Object.defineProperty(RequestLoaders.prototype, name, {
    get(this: RequestLoaders) {
      return (this.made[name] ??= MAKERS[name](this.registry) as never)
    },
  })
}

export function createLoaders(registry: Registry): Loaders {
  return new RequestLoaders(registry) as unknown as Loaders
}

function byKey<Key, Found>(
  read: (keys: readonly Key[]) => Promise<ReadonlyMap<Key, Found>>,
  absent: Found,
): DataLoader<Key, Found> {
  return new DataLoader(async (keys) => {
    const found = await read(keys)
    return keys.map((key) => found.get(key) ?? absent)
  })
}

/** One statement for each revision asked about: nearly always it is one. */
async function entriesAt(
  history: Registry['history'],
  keys: readonly EntryRevisionKey[],
): Promise<(EntryRevision | null)[]> {
  const ids = new Map<number, EntryId[]>()
  for (const { id, revision } of keys) {
    const wanted = ids.get(revision)
    if (wanted === undefined) ids.set(revision, [id])
    else wanted.push(id)
  }
  const found = new Map<number, Map<EntryId, EntryRevision>>()
  for (const [revision, wanted] of ids) found.set(revision, await history.entries(wanted, revision))
  return keys.map(({ id, revision }) => found.get(revision)?.get(id) ?? null)
}
