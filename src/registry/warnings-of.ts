import { dependencyCircles } from '../core/dependency-circles.js'
import type { ExtractReferences, ReferenceTarget } from '../core/dependency.js'
import { compareEntryIds, type EntryId } from '../core/entry-id.js'
import type { CommitOutcome, HistoryReader } from '../store/history.js'

export const WARNING_CODES = ['DEPENDENCY_CYCLE', 'DANGLING_DEPENDENTS', 'MORE_WARNINGS'] as const
export type WarningCode = (typeof WARNING_CODES)[number]

/** What a changeset that could be applied has about it that its author may not have meant. */
export interface Warning {
  readonly code: WarningCode
  readonly message: string
  /** The deleted entry that others still refer to; null of anything else. */
  readonly entryId: EntryId | null
  /** Those on the circle, or those that still refer to what was deleted; by id. */
  readonly entryIds: readonly EntryId[]
}

export const MAX_WARNINGS = 100
/** Ids that one warning lists; its message has their number. */
const MAX_WARNING_IDS = 1_000
/** References to what was deleted that are looked at. */
const MAX_DANGLING = 20_000

type Applied = Extract<CommitOutcome, { type: 'applied' }>

/**
 * Circles among the operations, then dependents that its deletes leave dangling, on a dry run would leave. Dependents are those
 * of the state that the changeset made; one that has changed since is left out.
 */
export async function warningsOf(outcome: Applied, history: HistoryReader, references: ExtractReferences): Promise<readonly Warning[]> {
  const warnings = [...dependencyCircles(outcome.delta, references).map(circleWarning), ...await danglingWarnings(outcome, history, references)]
  if (warnings.length <= MAX_WARNINGS) return warnings
  const more = warnings.length - MAX_WARNINGS + 1
  const message = `${more} more warnings are not listed; apply less at once to see them`
  return [...warnings.slice(0, MAX_WARNINGS - 1), { code: 'MORE_WARNINGS', message, entryId: null, entryIds: [] }]
}

function circleWarning(circle: readonly EntryId[]): Warning {
  const message = circle.length === 1
    ? `${circle[0]} depends on itself`
    : `${circle.length} entries depend on one another in a circle, which was broken at ${circle[0]}: ${named(circle)}`
  return { code: 'DEPENDENCY_CYCLE', message, entryId: null, entryIds: circle.slice(0, MAX_WARNING_IDS) }
}

async function danglingWarnings({ delta, revision, head }: Applied, history: HistoryReader, references: ExtractReferences): Promise<Warning[]> {
  const written = new Set(delta.flatMap(({ kind, id }) => (kind === 'DELETE' ? [] : [id])))
  const gone = new Set(delta.flatMap(({ kind, id }) => (kind === 'DELETE' && !written.has(id) ? [id] : [])))
  if (gone.size === 0) return []
  const touched = new Set(delta.map(({ id }) => id))
  const dependents = new Map<EntryId, Set<EntryId>>()
  const add = (target: ReferenceTarget, source: EntryId) => {
    if (target.type !== 'entry' || !gone.has(target.id)) return
    const known = dependents.get(target.id)
    if (known === undefined) dependents.set(target.id, new Set([source]))
    else known.add(source)
  }
  for (const { id, content } of delta) {
    if (content !== null) for (const { target } of references(id, content)) add(target, id)
  }
  const targets = [...gone].sort(compareEntryIds).map((id) => ({ type: 'entry', id }) as const)
  const rows = await history.referencesTo(targets, revision ?? head.revision, MAX_DANGLING)
  // What the changeset touches is judged by what it makes of it.
  for (const { source, target } of rows) if (!touched.has(source)) add(target, source)
  return [...dependents]
    .sort(([a], [b]) => compareEntryIds(a, b))
    .map(([id, sources]) => danglingWarning(id, [...sources].sort(compareEntryIds), rows.length === MAX_DANGLING))
}

function danglingWarning(deleted: EntryId, sources: readonly EntryId[], mayBeMore: boolean): Warning {
  const count = `${mayBeMore ? 'at least ' : ''}${sources.length}`
  const message = `${deleted} is deleted, and ${count} ${sources.length === 1 ? 'entry still refers' : 'entries still refer'} to it: ${named(sources)}`
  return { code: 'DANGLING_DEPENDENTS', message, entryId: deleted, entryIds: sources.slice(0, MAX_WARNING_IDS) }
}

function named(ids: readonly EntryId[]): string {
  return ids.length > 5 ? `${ids.slice(0, 5).join(', ')}, …` : ids.join(', ')
}
