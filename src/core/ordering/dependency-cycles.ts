import { sortInSteps } from '../algorithms/sort-in-steps.js'
import { forEachInSteps, type Steps } from '../algorithms/steps.js'
import type { ExtractReferences } from '../dependency/reference.js'
import type { Content } from '../entry/entry.js'
import { compareEntryIds, type EntryId } from '../entry/entry-id.js'
import { cyclesOf } from './cycles.js'
import type { Operation } from './operation.js'
import { type OrderedItem, precedenceGraph } from './precedence-graph.js'

/**
 * Finds the cycles among a changeset's operations, where `orderOperations` had to break references. Each cycle is sorted
 * by id, and the cycles by their smallest id. An entry that names itself directly is a cycle of one.
 */
export function* dependencyCycles(
  operations: readonly Operation[],
  references: Pick<ExtractReferences, 'targets'>,
): Steps<readonly EntryId[][]> {
  const deleted: OrderedItem[] = []
  const written: OrderedItem[] = []
  yield* forEachInSteps(operations, ({ kind, id, content, original }) => {
    if (kind === 'DELETE') deleted.push({ id, content: original! })
    else written.push({ id, content: content! })
  })
  const cycles = new Map<string, EntryId[]>()
  for (const half of [deleted, written]) {
    // A cycle that is deleted and created again is reported once.
    const found = yield* cyclesAmong(half, references)
    yield* forEachInSteps(found, (cycle) => cycles.set(cycle.join('\n'), cycle))
  }
  return yield* sortInSteps([...cycles.values()], (a, b) => compareEntryIds(a[0]!, b[0]!) || b.length - a.length)
}

function* cyclesAmong(
  items: readonly OrderedItem[],
  references: Pick<ExtractReferences, 'targets'>,
): Steps<readonly EntryId[][]> {
  const byId = yield* sortInSteps(items, (a, b) => compareEntryIds(a.id, b.id))
  const selfReferring = new Set<EntryId>()
  function* targets(id: EntryId, content: Content) {
    const found = yield* references.targets(id, content)
    yield* forEachInSteps(found, (target) => {
      if (target.type === 'entry' && target.id === id) selfReferring.add(id)
    })
    return found
  }
  const graph = yield* precedenceGraph(byId, { targets }, 'DEPENDENCIES_FIRST')
  const members = new Map<number, EntryId[]>()
  const cycleOf = yield* cyclesOf(graph)
  yield* forEachInSteps(byId, ({ id }, number) => {
    const cycle = members.get(cycleOf[number]!)
    if (cycle === undefined) members.set(cycleOf[number]!, [id])
    else cycle.push(id)
  })
  return [...members.values()].filter((cycle) => cycle.length > 1 || selfReferring.has(cycle[0]!))
}
