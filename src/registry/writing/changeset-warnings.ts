import { sortInSteps } from '../../core/algorithms/sort-in-steps.js'
import { flatMapInSteps, forEachInSteps, ITEMS_PER_STEP, type Steps } from '../../core/algorithms/steps.js'
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
import type { Warning } from '../../core/errors/warning.js'
import { dependencyCycles } from '../../core/ordering/dependency-cycles.js'
import { inSlices } from '../../store/coalescing/time-slices.js'
import type { HistoryReader } from '../../store/contract/history-reader.js'
import type { CommitOutcome } from '../../store/contract/history-writer.js'

/** @bound Warnings of one changeset. */
export const MAX_WARNINGS = 100
/** @bound Ids that one warning lists. Its message has their number. */
const MAX_WARNING_IDS = 1_000
/** @bound References to deleted entries that are checked for warnings. */
const MAX_DANGLING = 20_000
/** @bound Namespaces and groups that are counted for warnings, each by its index. */
const MAX_EMPTIED = 100

type Applied = Extract<CommitOutcome, { type: 'applied' }>

/**
 * Returns the warnings that were found before the commit, the cycles among the operations, then the dependents that deletes leave dangling, or would leave in a dry run.
 * Dependents are those of the state that the changeset made. Entries that changed since are left out.
 */
export async function changesetWarnings(
  outcome: Applied,
  history: HistoryReader,
  references: ExtractReferences,
  signal?: AbortSignal,
): Promise<readonly Warning[]> {
  const cycles = await inSlices(dependencyCycles(outcome.delta, references), signal)
  const dangling = await danglingWarnings(outcome, history, references, signal)
  const { warnings: early = [] } = outcome
  const warnings = [...early, ...cycles.slice(0, MAX_WARNINGS + 1).map(cycleWarning), ...dangling]
  if (warnings.length <= MAX_WARNINGS) return warnings
  const more = early.length + cycles.length + dangling.length - MAX_WARNINGS + 1
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
  signal: AbortSignal | undefined,
): Promise<readonly Warning[]> {
  const { delta, revision, head } = outcome
  const { gone, touched } = await inSlices(touchedBy(delta), signal)
  if (gone.size === 0) return []
  const emptied = await emptiedTargets(outcome, gone, history)
  const { targets, dependents } = await inSlices(dependentsAmong(delta, gone, emptied, references), signal)
  const rows = await history.referencesTo(targets, revision ?? head.revision, MAX_DANGLING)
  return inSlices(warningsAbout(targets, dependents, rows, touched), signal)
}

/** The ids that a delta touches, and those of them that it deletes. */
function* touchedBy(delta: Applied['delta']) {
  const touched = new Set<EntryId>()
  const written = new Set<EntryId>()
  yield* forEachInSteps(delta, ({ kind, id }) => {
    touched.add(id)
    if (kind !== 'DELETE') written.add(id)
  })
  const gone = new Set<EntryId>()
  yield* forEachInSteps(touched, (id) => {
    if (!written.has(id)) gone.add(id)
  })
  return { touched, gone }
}

/** Returns the targets that a delta deletes or empties, sorted, with the entries of the delta that refer to them. */
function* dependentsAmong(
  delta: Applied['delta'],
  gone: ReadonlySet<EntryId>,
  emptied: readonly ReferenceTarget[],
  references: ExtractReferences,
) {
  const deleted = yield* flatMapInSteps(gone, (id): ReferenceTarget[] => [{ type: 'entry', id }])
  const targets = yield* sortInSteps([...deleted, ...emptied], compareTargets)
  const dependents = new Map<string, Set<EntryId>>()
  yield* forEachInSteps(targets, (target) => dependents.set(targetKey(target), new Set()))
  for (const [i, { id, content }] of delta.entries()) {
    if (content !== null)
      yield* forEachInSteps(yield* references.targets(id, content), (target) =>
        dependents.get(targetKey(target))?.add(id),
      )
    if (i % ITEMS_PER_STEP === ITEMS_PER_STEP - 1) yield
  }
  return { targets, dependents }
}

function* warningsAbout(
  targets: readonly ReferenceTarget[],
  dependents: ReadonlyMap<string, Set<EntryId>>,
  rows: Awaited<ReturnType<HistoryReader['referencesTo']>>,
  touched: ReadonlySet<EntryId>,
) {
  // Entries that the changeset touches count with their new content.
  yield* forEachInSteps(rows, ({ source, target }) => {
    if (!touched.has(source)) dependents.get(targetKey(target))?.add(source)
  })
  const warnings: Warning[] = []
  for (const [i, target] of targets.entries()) {
    const sources = yield* sortInSteps([...dependents.get(targetKey(target))!], compareEntryIds)
    if (sources.length > 0) warnings.push(danglingWarning(target, sources, rows.length === MAX_DANGLING))
    if (i % ITEMS_PER_STEP === ITEMS_PER_STEP - 1) yield
  }
  return warnings
}

/** Returns the namespaces and groups whose last entry is deleted, among the first that the changeset deletes from. */
async function emptiedTargets(
  { delta, revision, head }: Applied,
  gone: ReadonlySet<EntryId>,
  history: HistoryReader,
): Promise<ReferenceTarget[]> {
  const losses = await inSlices(lossesOf(delta, gone))
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

interface Loss {
  readonly target: ReferenceTarget
  lost: number
}

function* lossesOf(delta: Applied['delta'], gone: ReadonlySet<EntryId>): Steps<ReadonlyMap<string, Loss>> {
  const losses = new Map<string, Loss>()
  yield* forEachInSteps(delta, ({ id, original }) => {
    if (original === null || !gone.has(id)) return
    for (const target of targetsWith(id, original)) {
      const loss = losses.get(targetKey(target))
      if (loss === undefined) losses.set(targetKey(target), { target, lost: 1 })
      else loss.lost++
    }
  })
  yield* forEachInSteps(delta, ({ id, content }) => {
    if (content !== null) for (const target of targetsWith(id, content)) losses.delete(targetKey(target))
  })
  return losses
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
