import type { PrecedenceGraph } from './precedence-graph.js'

/**
 * The circles of a graph (its strongly connected components), as the circle's number for each item and, after
 * the items, for each hub. What is on no circle has a number of its own. Tarjan's algorithm with a stack of
 * its own: a chain of 100,000 must not need as many calls.
 */
export function cyclesOf(graph: PrecedenceGraph): Int32Array {
  const total = graph.size + graph.hubs.length
  const next = successors(graph)
  const circle = new Int32Array(total).fill(-1)
  const order = new Int32Array(total).fill(-1)
  const lowest = new Int32Array(total)
  const taken = new Int32Array(total)
  const open: number[] = []
  const way: number[] = []
  let clock = 0
  let circles = 0

  const enter = (node: number) => {
    order[node] = lowest[node] = clock++
    open.push(node)
    way.push(node)
  }
  for (let start = 0; start < total; start++) {
    if (order[start]! >= 0) continue
    enter(start)
    while (way.length > 0) {
      const node = way[way.length - 1]!
      const successor = next[node]![taken[node]!++]
      if (successor !== undefined) {
        if (order[successor]! < 0) enter(successor)
        else if (circle[successor]! < 0) lowest[node] = Math.min(lowest[node]!, order[successor]!)
        continue
      }
      way.pop()
      const parent = way[way.length - 1]
      if (parent !== undefined) lowest[parent] = Math.min(lowest[parent]!, lowest[node]!)
      if (lowest[node] !== order[node]) continue
      let member: number
      do circle[(member = open.pop()!)] = circles
      while (member !== node)
      circles++
    }
  }
  return circle
}

/** What follows each node; hub h is node `size + h`. */
function successors({ size, after, hubs }: PrecedenceGraph): readonly (readonly number[])[] {
  const next: (readonly number[])[] = [...after]
  const viaHubs = new Map<number, number[]>()
  hubs.forEach((hub, h) => {
    next.push(hub.after)
    for (const item of hub.before) {
      const list = viaHubs.get(item)
      if (list === undefined) viaHubs.set(item, [size + h])
      else list.push(size + h)
    }
  })
  for (const [item, via] of viaHubs) next[item] = [...after[item]!, ...via]
  return next
}
