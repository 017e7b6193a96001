import type { EntryRevision } from '../../core/entry/entry.js'
import type { EntryId } from '../../core/entry/entry-id.js'
import type { Tag } from '../../core/history/tag.js'
import { entryOfRow } from '../planning/change-row.js'
import { tagDigest } from '../planning/plan-tag.js'
import type { StoredHistory, StoredPointer } from '../verify/stored-history.js'
import type { MemoryCompaction } from './memory-compaction.js'
import type { MemoryLog } from './memory-log.js'

/** Copies the rows as they are now, because writes continue during the verification. */
export function memoryStoredHistory(
  log: MemoryLog,
  compaction: MemoryCompaction,
  pointer: StoredPointer,
  tags: readonly Tag[],
): StoredHistory {
  const versions = [...compaction.versions()]
  const changesets = new Map(log.versions.map(({ number, changeset }) => [number, changeset]))
  const transitions = [...log.transitions]
  const rows = transitions.flatMap(({ revision }) => log.rowsAt.get(revision) ?? [])
  const head = [...log.state('head')]
  const { baseline } = compaction
  return {
    versions: async function* () {
      yield* versions
    },
    changesets: async (numbers) =>
      new Map(
        numbers.flatMap((number) => {
          const changeset = changesets.get(number) ?? null
          return changeset === null ? [] : [[number, changeset]]
        }),
      ),
    transitions: async function* () {
      yield* transitions
    },
    changes: async function* () {
      for (const row of rows) yield { row, metaIndex: null }
    },
    async *stateAt(revision) {
      const state = new Map<EntryId, EntryRevision | null>()
      for (const row of rows) if (row.revision <= revision) state.set(row.id, entryOfRow(row))
      for (const entry of state.values()) if (entry !== null) yield entry
    },
    baseline: async () => baseline,
    head: async function* () {
      for (const entry of head) yield { entry, metaIndex: null }
    },
    pointer: async () => pointer,
    tags: async function* () {
      for (const tag of tags) yield { tag, digest: tagDigest(tag) }
    },
    names: null,
    referenceIndex: null,
  }
}
