import { forEachInSteps, ITEMS_PER_STEP, type Steps } from '../algorithms/steps.js'
import type { ExtractReferences } from '../dependency/reference.js'
import { groupsOf } from '../dependency/reference.js'
import type { SealedContent } from '../entry/entry.js'
import { type EntryId, namespaceOf } from '../entry/entry-id.js'

/** An operation's entry, with the content whose references count. */
export interface OrderedItem {
  readonly id: EntryId
  readonly content: SealedContent
}

/**
 * References to a namespace or a group: every item of `before` precedes every item of `after`, except itself. As a node
 * between them it costs the sum of the two. Edges would cost the product.
 */
export interface Hub {
  readonly before: readonly number[]
  readonly after: readonly number[]
}

/** Which item precedes which. Items are numbered by their position in the given list. */
export interface PrecedenceGraph {
  readonly size: number
  /** `after[i]`: the items that wait for item i, each once, never i itself. */
  readonly after: readonly (readonly number[])[]
  readonly hubs: readonly Hub[]
}

/** Which of two items goes first if one refers to the other. */
export type Precedence = 'DEPENDENCIES_FIRST' | 'DEPENDENTS_FIRST'

/** Builds the graph. References to entries outside the list and to the item itself do not count. */
export function* precedenceGraph(
  items: readonly OrderedItem[],
  references: Pick<ExtractReferences, 'targets'>,
  precedence: Precedence,
): Steps<PrecedenceGraph> {
  const numbers = new Map<EntryId, number>()
  yield* forEachInSteps(items, ({ id }, number) => numbers.set(id, number))
  const after: number[][] = items.map(() => [])
  const namespaces = new Map<string, number[]>()
  const groups = new Map<string, number[]>()

  for (let number = 0; number < items.length; number++) {
    const { id, content } = items[number]!
    const dependencies = new Set<number>()
    yield* forEachInSteps(yield* references.targets(id, content), (target) => {
      if (target.type === 'entry') {
        const dependency = numbers.get(target.id)
        if (dependency !== undefined && dependency !== number) dependencies.add(dependency)
      } else if (target.type === 'namespace') addOnce(namespaces, target.namespace, number)
      else if (target.type === 'group') addOnce(groups, target.group, number)
    })
    yield* forEachInSteps(dependencies, (dependency) => {
      if (precedence === 'DEPENDENCIES_FIRST') after[dependency]!.push(number)
      else after[number]!.push(dependency)
    })
    if (number % ITEMS_PER_STEP === ITEMS_PER_STEP - 1) yield
  }

  const hubs: Hub[] = []
  const addHub = (referrers: readonly number[], members: readonly number[] | undefined) => {
    if (members === undefined) return
    hubs.push(
      precedence === 'DEPENDENCIES_FIRST'
        ? { before: members, after: referrers }
        : { before: referrers, after: members },
    )
  }
  if (namespaces.size > 0) {
    const members = new Map<string, number[]>()
    yield* forEachInSteps(items, ({ id }, number) => addOnce(members, namespaceOf(id), number))
    for (const [namespace, referrers] of namespaces) addHub(referrers, members.get(namespace))
  }
  if (groups.size > 0) {
    const members = new Map<string, number[]>()
    for (let number = 0; number < items.length; number++) {
      yield* forEachInSteps(groupsOf(items[number]!.content), (group) => addOnce(members, group, number))
      if (number % ITEMS_PER_STEP === ITEMS_PER_STEP - 1) yield
    }
    for (const [group, referrers] of groups) addHub(referrers, members.get(group))
  }
  return { size: items.length, after, hubs }
}

/** Numbers are added in ascending order, so a repeated number is the last one. */
function addOnce(lists: Map<string, number[]>, key: string, number: number): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [number])
  else if (list[list.length - 1] !== number) list.push(number)
}
