import type { EntryId } from '../../core/entry/entry-id.js'
import { compareEntryIds } from '../../core/entry/entry-id.js'
import type { SourceEntry } from '../../sources/forms/parse-entries.js'
import type { FolderReading } from '../../sources/provider/read-folder.js'
import type { GatewayClient } from '../gateway/gateway-client.js'
import type { StoredEntry } from '../gateway/gateway-queries.js'
import { snapshotEntries, snapshotPlace } from '../gateway/gateway-queries.js'

/** What leads one entry from what the registry holds to what the folder says; one side may be absent, not both. */
export interface PlannedChange {
  readonly id: EntryId
  readonly wanted: SourceEntry | null
  readonly stored: StoredEntry | null
}

export interface FolderPlan {
  /** The registry's revision that the folder was held against. */
  readonly revision: number
  /** By id. */
  readonly changes: readonly PlannedChange[]
  /** Entries of the folder that the registry holds just so. */
  readonly unchanged: number
  /** Why `--prune` was left out though asked for; null otherwise. */
  readonly pruneRefused: string | null
}

export interface PlanOptions {
  readonly prune: boolean
  /** Also fetches the contents of what will change, for showing. */
  readonly withContent: boolean
  readonly progress: (done: number, of: number) => void
}

/** Ids or namespaces asked for at once: as many as one page holds, of 768 bytes at most each. */
const AT_ONCE = 1000

/**
 * Holds a folder against the registry as one revision has it: by digest, so that of what is equal no content
 * travels. With `prune`, what the registry has in the folder's namespaces and the folder has not goes too;
 * where part of the folder could not be read nothing is pruned, because that part may define it.
 */
export async function planFolder(
  client: GatewayClient,
  folder: FolderReading,
  options: PlanOptions,
): Promise<FolderPlan> {
  const { revision } = await snapshotPlace(client, null)
  const pruneRefused = options.prune ? whyNotPrune(folder) : null
  const prunes = options.prune && pruneRefused === null
  const stored = new Map<EntryId, StoredEntry>()
  const wanted = [...folder.entries.keys()]

  if (prunes) {
    for (const namespaces of portions([...folder.namespaces])) {
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
  if (prunes) {
    for (const entry of stored.values()) {
      if (folder.entries.has(entry.entryId) || protectedIds.has(entry.entryId)) continue
      changes.push({ id: entry.entryId, wanted: null, stored: entry })
    }
  }
  const unchanged = folder.entries.size - changes.filter((change) => change.wanted !== null).length
  const contents = options.withContent ? await fetchContents(client, changes, revision, options.progress) : stored
  const shown = changes.map((change) => ({ ...change, stored: contents.get(change.id) ?? null }))
  return { revision, changes: shown.sort((a, b) => compareEntryIds(a.id, b.id)), unchanged, pruneRefused }
}

/** A failure that names its entry leaves that entry alone; one that does not could hide any. */
function whyNotPrune(folder: FolderReading): string | null {
  if (folder.failures.some(({ entryId }) => entryId === null)) {
    return 'nothing is pruned: what could not be read may define what would go'
  }
  return folder.namespaces.size === 0 ? 'nothing is pruned: no namespace is defined here' : null
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
  for (const portion of portions(ids)) {
    for await (const page of snapshotEntries(client, { revision, where: { id: { in: portion } }, withContent })) {
      for (const entry of page) into.set(entry.entryId, entry)
    }
    progress((done += portion.length), ids.length)
  }
}

function* portions<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += AT_ONCE) yield items.slice(start, start + AT_ONCE)
}

/** Whether the change replaces an entry by one of another kind, which takes a delete and a create. */
export function isReplacement({ wanted, stored }: PlannedChange): boolean {
  return wanted !== null && stored !== null && wanted.content.kind !== stored.kind
}
