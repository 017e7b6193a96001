import { groupsOf } from '../../../src/core/dependency/reference.js'
import type { SealedContent } from '../../../src/core/entry/entry.js'
import { compareEntryIds, type EntryId, namespaceOf } from '../../../src/core/entry/entry-id.js'
import type { Operation } from '../../../src/core/ordering/operation.js'
import { references } from '../arbitraries.js'

interface Item {
  readonly id: EntryId
  readonly content: SealedContent
  readonly operation: Operation
}

/** All edges: the ids that come before each id. */
export type Before = ReadonlyMap<EntryId, ReadonlySet<EntryId>>

/** Does the same as `orderOperations`, with every edge explicit. Takes the fourth power of the number of operations. */
export function naiveOrder(operations: readonly Operation[]): Operation[] {
  const deletes = operations.filter(({ kind }) => kind === 'DELETE')
  const others = operations.filter(({ kind }) => kind !== 'DELETE')
  const later = others.map((operation) => ({ id: operation.id, content: operation.content!, operation }))
  return [...sorted(itemsOf(deletes)), ...sorted(later, true)]
}

function itemsOf(deletes: readonly Operation[]): Item[] {
  return deletes.map((operation) => ({ id: operation.id, content: operation.original!, operation }))
}

/** Returns the pairs of operations whose order is prescribed, among the deletes or among the others. */
export function edges(operations: readonly Operation[], half: 'DELETES' | 'OTHERS'): Before {
  const deletes = half === 'DELETES'
  const items = operations
    .filter(({ kind }) => (kind === 'DELETE') === deletes)
    .map((operation) => ({ id: operation.id, content: (deletes ? operation.original : operation.content)!, operation }))
  return edgesOf(items, !deletes)
}

function edgesOf(items: readonly Item[], dependenciesFirst: boolean): Before {
  const before = new Map<EntryId, Set<EntryId>>(items.map(({ id }) => [id, new Set()]))
  for (const source of items) {
    for (const { target } of references(source.id, source.content)) {
      const hit = items.filter((item) => {
        if (item === source) return false
        if (target.type === 'entry') return item.id === target.id
        if (target.type === 'namespace') return namespaceOf(item.id) === target.namespace
        return target.type === 'group' && groupsOf(item.content).includes(target.group)
      })
      for (const item of hit) {
        if (dependenciesFirst) before.get(source.id)!.add(item.id)
        else before.get(item.id)!.add(source.id)
      }
    }
  }
  return before
}

/** Returns all ids that lead to each id. An id leads to itself only on a cycle. */
export function ancestors(before: Before): Before {
  const all = new Map([...before].map(([id, direct]) => [id, new Set(direct)]))
  for (let grown = true; grown; ) {
    grown = false
    for (const reached of all.values()) {
      for (const id of [...reached]) {
        for (const further of all.get(id)!) if (!reached.has(further)) grown = !!reached.add(further)
      }
    }
  }
  return all
}

function sorted(items: readonly Item[], dependenciesFirst = false): Operation[] {
  const before = edgesOf(items, dependenciesFirst)
  const reached = ancestors(before)
  const cycleOf = (id: EntryId) =>
    [...before.keys()].filter((other) => reached.get(id)!.has(other) && reached.get(other)!.has(id))
  const left = new Set([...before.keys()].sort(compareEntryIds))
  const waits = (id: EntryId) => [...before.get(id)!].filter((other) => left.has(other))
  const order: Operation[] = []
  while (left.size > 0) {
    const isReady = (id: EntryId) => {
      if (waits(id).length === 0) return true
      const cycle = cycleOf(id).filter((member) => left.has(member))
      if (!cycle.includes(id) || cycle.some((member) => waits(member).length === 0)) return false
      const outside = cycle.flatMap(waits).filter((other) => !cycle.includes(other))
      return outside.length === 0 && cycle.sort(compareEntryIds)[0] === id
    }
    const next = [...left].find(isReady)!
    left.delete(next)
    order.push(items.find(({ id }) => id === next)!.operation)
  }
  return order
}
