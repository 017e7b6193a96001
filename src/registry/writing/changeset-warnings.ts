import type { Criteria } from '../../core/criteria/criteria.js'
import {
  compareTargets,
  type ExtractReferences,
  groupsOf,
  type ReferenceTarget,
  targetKey,
} from '../../core/dependency/reference.js'
import type { SealedContent } from '../../core/entry/entry.js'
import { compareEntryIds, type EntryId, namespaceOf } from '../../core/entry/entry-id.js'
import { dependencyCycles } from '../../core/ordering/dependency-cycles.js'
import type { HistoryReader } from '../../store/contract/history-reader.js'
import type { CommitOutcome } from '../../store/contract/history-writer.js'

export const WARNING_CODES = ['DEPENDENCY_CYCLE', 'DANGLING_DEPENDENTS', 'MORE_WARNINGS'] as const
export type WarningCode = (typeof WARNING_CODES)[number]

/** A property of a valid changeset that its author may not have intended. */
export interface Warning {
  readonly code: WarningCode
  readonly message: string
  /** The deleted entry that others still refer to. Null for a cycle, or for a namespace or group that was emptied. */
  readonly entryId: EntryId | null
  /** The entries of the cycle, or those that still refer to a deleted target, by id. */
  readonly entryIds: readonly EntryId[]
}

/** @bound Warnings of one changeset. */
export const MAX_WARNINGS = 100
/** @bound Ids that one warning lists. Its message has their number. */
const MAX_WARNING_IDS = 1_000
/** @bound References to deleted entries that are checked for warnings. */
const MAX_DANGLING = 20_000
/** Namespaces and groups that are counted, each by its index. */
const MAX_EMPTIED = 100

type Applied = Extract<CommitOutcome, { type: 'applied' }>

/**
 * Returns the cycles among the operations, then the dependents that deletes leave dangling, or would leave in a dry run.
 * Dependents are those of the state that the changeset made. Entries that changed since are left out.
 */
export async function changesetWarnings(
  outcome: Applied,
  history: HistoryReader,
  references: ExtractReferences,
): Promise<readonly Warning[]> {
  const warnings = [
    ...dependencyCycles(outcome.delta, references).map(cycleWarning),
    ...(await danglingWarnings(outcome, history, references)),
  ]
  if (warnings.length <= MAX_WARNINGS) return warnings
  const more = warnings.length - MAX_WARNINGS + 1
  const message = `${more} more warnings are not listed. Split the changeset to see them.`
  return [...warnings.slice(0, MAX_WARNINGS - 1), { code: 'MORE_WARNINGS', message, entryId: null, entryIds: [] }]
}

function cycleWarning(cycle: readonly EntryId[]): Warning {
  const message =
    cycle.length === 1
      ? `${cycle[0]} depends on itself`
      : `${cycle.length} entries depend on each other in a cycle, which is broken at ${cycle[0]}: ${named(cycle)}`
  return { code: 'DEPENDENCY_CYCLE', message, entryId: null, entryIds: cycle.slice(0, MAX_WARNING_IDS) }
}

async function danglingWarnings(
  outcome: Applied,
  history: HistoryReader,
  references: ExtractReferences,
): Promise<Warning[]> {
  const { delta, revision, head } = outcome
  const written = new Set(delta.flatMap(({ kind, id }) => (kind === 'DELETE' ? [] : [id])))
  const gone = new Set(delta.flatMap(({ kind, id }) => (kind === 'DELETE' && !written.has(id) ? [id] : [])))
  if (gone.size === 0) return []
  const targets: ReferenceTarget[] = [...gone].map((id) => ({ type: 'entry', id }))
  targets.push(...(await emptiedTargets(outcome, gone, history)))
  targets.sort(compareTargets)
  const touched = new Set(delta.map(({ id }) => id))
  const dependents = new Map(targets.map((target) => [targetKey(target), new Set<EntryId>()]))
  for (const { id, content } of delta) {
    if (content !== null) for (const { target } of references(id, content)) dependents.get(targetKey(target))?.add(id)
  }
  const rows = await history.referencesTo(targets, revision ?? head.revision, MAX_DANGLING)
  // Entries that the changeset touches count with their new content.
  for (const { source, target } of rows) if (!touched.has(source)) dependents.get(targetKey(target))?.add(source)
  return targets.flatMap((target) => {
    const sources = [...dependents.get(targetKey(target))!].sort(compareEntryIds)
    return sources.length === 0 ? [] : [danglingWarning(target, sources, rows.length === MAX_DANGLING)]
  })
}

/** Returns the namespaces and groups whose last entry is deleted, among the first that the changeset deletes from. */
async function emptiedTargets(
  { delta, revision, head }: Applied,
  gone: ReadonlySet<EntryId>,
  history: HistoryReader,
): Promise<ReferenceTarget[]> {
  const losses = new Map<string, { target: ReferenceTarget; lost: number }>()
  for (const { id, original } of delta) {
    if (original === null || !gone.has(id)) continue
    for (const target of targetsWith(id, original)) {
      const loss = losses.get(targetKey(target))
      if (loss === undefined) losses.set(targetKey(target), { target, lost: 1 })
      else loss.lost++
    }
  }
  for (const { id, content } of delta)
    if (content !== null) for (const target of targetsWith(id, content)) losses.delete(targetKey(target))
  const emptied: ReferenceTarget[] = []
  for (const { target, lost } of [...losses.values()].slice(0, MAX_EMPTIED)) {
    // Emptied means that nothing is left after the changeset, or, in a dry run, nothing but the entries that it
    // deletes.
    const left = await history.countEntries(
      membersOf(target),
      history.hasHistory ? (revision ?? head.revision) : 'head',
    )
    if (left === (revision === null ? lost : 0)) emptied.push(target)
  }
  return emptied
}

function targetsWith(id: EntryId, content: SealedContent): ReferenceTarget[] {
  return [
    { type: 'namespace', namespace: namespaceOf(id) },
    ...groupsOf(content).map((group) => ({ type: 'group', group }) as const),
  ]
}

function membersOf(target: ReferenceTarget): Criteria {
  if (target.type === 'namespace')
    return { field: { root: 'ns' }, test: { operator: 'equals', value: target.namespace } }
  if (target.type === 'group')
    return { field: { meta: 'groups' }, test: { operator: 'holdsAll', values: [target.group] } }
  throw new TypeError(`${target.type} has no members`)
}

function danglingWarning(target: ReferenceTarget, sources: readonly EntryId[], mayBeMore: boolean): Warning {
  const count = `${mayBeMore ? 'at least ' : ''}${sources.length}`
  const lost =
    target.type === 'entry'
      ? `${target.id} is deleted`
      : target.type === 'namespace'
        ? `the last entry of the namespace ${target.namespace} is deleted`
        : `the last entry of the group ${target.type === 'group' ? target.group : ''} is deleted`
  const message = `${lost}, and ${count} ${sources.length === 1 ? 'entry still refers' : 'entries still refer'} to it: ${named(sources)}`
  return {
    code: 'DANGLING_DEPENDENTS',
    message,
    entryId: target.type === 'entry' ? target.id : null,
    entryIds: sources.slice(0, MAX_WARNING_IDS),
  }
}

function named(ids: readonly EntryId[]): string {
  return ids.length > 5 ? `${ids.slice(0, 5).join(', ')}, …` : ids.join(', ')
}
