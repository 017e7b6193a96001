import type { Change } from '../../core/history/change.js'
import type { CommitOutcome } from '../contract/history-writer.js'
import type { Reply } from './commit-state.js'

/**
 * The answer that was kept under a key, made anew from the log.
 * @param changes - What it changed; null where that has been compacted away
 * @param headRevision - Told where it changed nothing, so that no revision is its own
 */
export function replayedOutcome(
  { revision, version }: Reply,
  changes: readonly Change[] | null,
  headRevision: number,
): CommitOutcome {
  const delta = (changes ?? []).map(({ kind, id, entry, previous }) => ({
    kind,
    id,
    content: entry?.content ?? null,
    original: previous?.content ?? null,
  }))
  const head = { revision: revision ?? headRevision, version }
  return {
    type: 'applied',
    head,
    revision,
    delta,
    dryRun: false,
    replayed: true,
    ...(changes === null && { compacted: true as const }),
  }
}
