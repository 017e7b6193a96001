import { forEachInSteps, type Steps } from '../algorithms/steps.js'
import type { PrecedenceGraph } from './precedence-graph.js'

/** Edges between two pauses. An edge takes some 10 ns. */
const EDGES_PER_STEP = 4_096

/**
 * Finds the cycles of a graph (its strongly connected components): the cycle's number for each item and, after the items,
 * for each hub. A node on no cycle has a number of its own. Tarjan's algorithm with an explicit stack, because a chain of
 * 100,000 must not need as many nested calls.
 */
export function* cyclesOf(graph: PrecedenceGraph): Steps<Int32Array> {
  const total = graph.size + graph.hubs.length
  const next = yield* successors(graph)
  const cycle = new Int32Array(total).fill(-1)
  const order = new Int32Array(total).fill(-1)
  const lowest = new Int32Array(total)
  const visited = new Int32Array(total)
  const open: number[] = []
  const path: number[] = []
  let clock = 0
  let cycles = 0
  let steps = 0

  const enter = (node: number) => {
    order[node] = lowest[node] = clock++
    open.push(node)
    path.push(node)
  }
  for (let start = 0; start < total; start++) {
    if (order[start]! >= 0) continue
    enter(start)
    while (path.length > 0) {
      if (++steps % EDGES_PER_STEP === 0) yield
      const node = path[path.length - 1]!
      const successor = next[node]![visited[node]!++]
      if (successor !== undefined) {
        if (order[successor]! < 0) enter(successor)
        else if (cycle[successor]! < 0) lowest[node] = Math.min(lowest[node]!, order[successor]!)
        continue
      }
      path.pop()
      const parent = path[path.length - 1]
      if (parent !== undefined) lowest[parent] = Math.min(lowest[parent]!, lowest[node]!)
      if (lowest[node] !== order[node]) continue
      let member: number
      do {
        member = open.pop()!
        cycle[member] = cycles
        if (++steps % EDGES_PER_STEP === 0) yield
      } while (member !== node)
      cycles++
    }
  }
  return cycle
}

/** The successors of each node. Hub h is node `size + h`. */
function* successors({ size, after, hubs }: PrecedenceGraph): Steps<readonly (readonly number[])[]> {
  const next: (readonly number[])[] = [...after]
  const viaHubs = new Map<number, number[]>()
  for (const [h, hub] of hubs.entries()) {
    next.push(hub.after)
    yield* forEachInSteps(hub.before, (item) => {
      const list = viaHubs.get(item)
      if (list === undefined) viaHubs.set(item, [size + h])
      else list.push(size + h)
    })
  }
  yield* forEachInSteps(viaHubs, ([item, via]) => {
    next[item] = [...after[item]!, ...via]
  })
  return next
}
