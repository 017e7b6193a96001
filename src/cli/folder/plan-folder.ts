import type { EntryId } from '../../core/entry/entry-id.js'
import { compareEntryIds } from '../../core/entry/entry-id.js'
import { SUPERGRAPH_KIND } from '../../graphql/supergraph/compose-options.js'
import type { SourceEntry } from '../../sources/forms/parse-entries.js'
import type { FolderReading } from '../../sources/provider/read-folder.js'
import type { GatewayClient } from '../gateway/gateway-client.js'
import type { StoredEntry } from '../gateway/gateway-queries.js'
import { snapshotEntries, snapshotPlace } from '../gateway/gateway-queries.js'
import { ownersOf } from '../gateway/source-queries.js'

/** The change of one entry from the registry's state to the folder's. At most one side is null. */
export interface PlannedChange {
  readonly id: EntryId
  readonly wanted: SourceEntry | null
  readonly stored: StoredEntry | null
}

export interface FolderPlan {
  /** The revision that the folder was compared with. */
  readonly revision: number
  /** Ordered by id. */
  readonly changes: readonly PlannedChange[]
  /** Number of entries that are equal in both. */
  readonly unchanged: number
  /** Why `--prune` was ignored, or null. */
  readonly pruneRefused: string | null
  /** Entries that `--prune` would delete, and that stay because a source owns them. Ordered by id. */
  readonly retained: readonly RetainedEntry[]
}

export interface RetainedEntry {
  readonly entryId: EntryId
  /** The name of the source. */
  readonly source: string
}

export interface PlanOptions {
  readonly prune: boolean
  /** Whether to prune even if the folder defines no entry. */
  readonly allowEmpty: boolean
  /** Whether to prune entries of sources too. */
  readonly includingOwned: boolean
  /** Whether to fetch the contents of the changed entries, to show them. */
  readonly withContent: boolean
  readonly progress: (done: number, of: number) => void
}

/** @bound Ids or namespaces in one query of a plan, as many as one page holds. Each has at most 768 bytes. */
const CHUNK_SIZE = 1000

/**
 * Compares a folder with the registry at one revision. It compares digests, so no content of equal entries is sent.
 * With `prune`, entries of the folder's namespaces that the folder does not define are deleted. Entries of a source stay,
 * because its own files define them, and so do composed supergraphs. If part of the folder cannot be read, nothing is pruned, because that part may define
 * them.
 */
export async function planFolder(
  client: GatewayClient,
  folder: FolderReading,
  options: PlanOptions,
): Promise<FolderPlan> {
  const { revision } = await snapshotPlace(client, null)
  const pruneRefused = options.prune ? whyNotPrune(folder, options.allowEmpty) : null
  const prunes = options.prune && pruneRefused === null
  const stored = new Map<EntryId, StoredEntry>()
  const wanted = [...folder.entries.keys()]

  if (prunes) {
    for (const namespaces of chunks([...folder.namespaces])) {
      for await (const page of snapshotEntries(client, {
        revision,
        where: { ns: { in: namespaces } },
        withContent: false,
      })) {
        for (const entry of page) stored.set(entry.entryId, entry)
        options.progress(Math.min(stored.size, wanted.length), wanted.length)
      }
    }
  } else {
    await fetchByIds(client, wanted, revision, false, stored, options.progress)
  }

  const protectedIds = new Set(folder.failures.map(({ entryId }) => entryId))
  const changes: PlannedChange[] = []
  for (const entry of folder.entries.values()) {
    const present = stored.get(entry.id) ?? null
    if (present?.digest !== entry.content.digest) changes.push({ id: entry.id, wanted: entry, stored: present })
  }
  const retained: RetainedEntry[] = []
  if (prunes) {
    const excess = [...stored.values()].filter(
      // Only the gateway writes a composed supergraph.
      ({ entryId: id, kind }) => !folder.entries.has(id) && !protectedIds.has(id) && kind !== SUPERGRAPH_KIND,
    )
    const asksOwners = excess.length > 0 && !options.includingOwned
    const owners = asksOwners ? await ownersOf(client, new Set(excess.map(({ entryId }) => entryId))) : new Map()
    for (const entry of excess) {
      const source: string | undefined = owners.get(entry.entryId)
      if (source === undefined) changes.push({ id: entry.entryId, wanted: null, stored: entry })
      else retained.push({ entryId: entry.entryId, source })
    }
  }
  const unchanged = folder.entries.size - changes.filter((change) => change.wanted !== null).length
  const contents = options.withContent ? await fetchContents(client, changes, revision, options.progress) : stored
  const shown = changes.map((change) => ({ ...change, stored: contents.get(change.id) ?? null }))
  return { revision, changes: shown.sort((a, b) => compareEntryIds(a.id, b.id)), unchanged, pruneRefused, retained }
}

/** A failure with an entry id protects only that entry. A failure without one could hide any entry. */
function whyNotPrune(folder: FolderReading, allowEmpty: boolean): string | null {
  if (folder.failures.some(({ entryId }) => entryId === null)) {
    return 'Nothing is pruned, because the files that could not be read may define the entries that would be deleted'
  }
  if (folder.entries.size === 0 && folder.namespaces.size > 0 && !allowEmpty)
    return 'Nothing is pruned, because the files define no entry. Add --allow-empty if they are empty on purpose'
  return folder.namespaces.size === 0 ? 'Nothing is pruned, because the files define no namespace' : null
}

async function fetchContents(
  client: GatewayClient,
  changes: readonly PlannedChange[],
  revision: number,
  progress: (done: number, of: number) => void,
): Promise<Map<EntryId, StoredEntry>> {
  const contents = new Map<EntryId, StoredEntry>()
  const ids = changes.filter(({ stored }) => stored !== null).map(({ id }) => id)
  await fetchByIds(client, ids, revision, true, contents, progress)
  return contents
}

async function fetchByIds(
  client: GatewayClient,
  ids: readonly EntryId[],
  revision: number,
  withContent: boolean,
  into: Map<EntryId, StoredEntry>,
  progress: (done: number, of: number) => void,
): Promise<void> {
  let done = 0
  for (const chunk of chunks(ids)) {
    for await (const page of snapshotEntries(client, { revision, where: { id: { in: chunk } }, withContent })) {
      for (const entry of page) into.set(entry.entryId, entry)
    }
    progress((done += chunk.length), ids.length)
  }
}

function* chunks<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += CHUNK_SIZE) yield items.slice(start, start + CHUNK_SIZE)
}

/** Whether the change gives the entry another kind, which needs a delete and a create. */
export function isReplacement({ wanted, stored }: PlannedChange): boolean {
  return wanted !== null && stored !== null && wanted.content.kind !== stored.kind
}
