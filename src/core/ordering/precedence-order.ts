import { cyclesOf } from './cycles.js'
import { NumberHeap } from './number-heap.js'
import type { PrecedenceGraph } from './precedence-graph.js'

/** Sorts a graph's items by the rule of `orderOperations`, with numbers instead of ids. */
export function precedenceOrder(graph: PrecedenceGraph): number[] {
  const isOrdered = graph.hubs.length === 0 && graph.after.every((list) => list.length === 0)
  if (isOrdered) return Array.from({ length: graph.size }, (_, number) => number)
  return new PrecedenceSort(graph).run()
}

/** Items that wait for each other. A single item counts as a cycle, too. */
interface Cycle {
  readonly members: number[]
  /** The number of items and hubs outside the cycle that a member still waits for. */
  waitsFor: number
  /** The number of members that are ready and not done. */
  ready: number
  /** Members before this index are done. */
  next: number
}

/** The state of a hub during the sort. */
interface HubState {
  readonly after: readonly number[]
  readonly waiting: Set<number>
  readonly cycle: number
  /** How many of `before` are not done, and the sum of their numbers. With one left, the sum is its number. */
  left: number
  leftSum: number
  /** How many of those are in another cycle than the hub. */
  leftOutside: number
}

class PrecedenceSort {
  readonly #graph: PrecedenceGraph
  readonly #cycleOf: Int32Array
  readonly #cycles = new Map<number, Cycle>()
  readonly #hubs: HubState[]
  /** The hubs that each item precedes. */
  readonly #hubsOf = new Map<number, HubState[]>()
  /** How many items and hubs each item waits for. */
  readonly #waitsFor: Int32Array
  readonly #queued: Uint8Array
  readonly #done: Uint8Array
  readonly #ready = new NumberHeap()

  constructor(graph: PrecedenceGraph) {
    this.#graph = graph
    this.#cycleOf = cyclesOf(graph)
    this.#waitsFor = new Int32Array(graph.size)
    this.#queued = new Uint8Array(graph.size)
    this.#done = new Uint8Array(graph.size)
    for (let item = 0; item < graph.size; item++) {
      const number = this.#cycleOf[item]!
      const cycle = this.#cycles.get(number)
      if (cycle === undefined) this.#cycles.set(number, { members: [item], waitsFor: 0, ready: 0, next: 0 })
      else cycle.members.push(item)
    }
    graph.after.forEach((list, item) => list.forEach((later) => this.#wait(later, this.#cycleOf[item]!)))
    this.#hubs = graph.hubs.map((hub, h) => this.#hubState(hub.before, hub.after, this.#cycleOf[graph.size + h]!))
  }

  run(): number[] {
    for (let item = 0; item < this.#graph.size; item++) if (this.#waitsFor[item] === 0) this.#makeReady(item)
    for (const hub of this.#hubs) this.#releaseAfter(hub)
    for (const cycle of this.#cycles.values()) this.#breakIfStuck(cycle)

    const order: number[] = []
    for (let item = this.#ready.pop(); item !== undefined; item = this.#ready.pop()) {
      order.push(item)
      this.#finish(item)
    }
    return order
  }

  #cycle(number: number): Cycle | undefined {
    return this.#cycles.get(number)
  }

  /** `later` waits for one more node, which is in this cycle. */
  #wait(later: number, cycle: number): void {
    this.#waitsFor[later]!++
    if (this.#cycleOf[later] !== cycle) this.#cycle(this.#cycleOf[later]!)!.waitsFor++
  }

  #release(later: number, cycle: number): void {
    this.#waitsFor[later]!--
    if (this.#waitsFor[later] === 0) this.#makeReady(later)
    if (this.#cycleOf[later] !== cycle) this.#releaseCycle(this.#cycleOf[later]!)
  }

  #releaseCycle(number: number): void {
    const cycle = this.#cycle(number)!
    cycle.waitsFor--
    this.#breakIfStuck(cycle)
  }

  #hubState(before: readonly number[], after: readonly number[], cycle: number): HubState {
    const state: HubState = { after, waiting: new Set(after), cycle, left: before.length, leftSum: 0, leftOutside: 0 }
    for (const item of before) {
      state.leftSum += item
      if (this.#cycleOf[item] !== cycle) state.leftOutside++
      const hubs = this.#hubsOf.get(item)
      if (hubs === undefined) this.#hubsOf.set(item, [state])
      else hubs.push(state)
    }
    for (const item of after) this.#wait(item, cycle)
    // Through the hub, its own cycle waits for the items outside. The hub counts once.
    const own = this.#cycle(cycle)
    if (own !== undefined && state.leftOutside > 0) own.waitsFor++
    return state
  }

  #makeReady(item: number): void {
    if (this.#queued[item] === 1) return
    this.#queued[item] = 1
    this.#cycle(this.#cycleOf[item]!)!.ready++
    this.#ready.push(item)
  }

  #finish(item: number): void {
    this.#done[item] = 1
    const number = this.#cycleOf[item]!
    const cycle = this.#cycle(number)!
    cycle.ready--
    for (const later of this.#graph.after[item]!) this.#release(later, number)
    for (const hub of this.#hubsOf.get(item) ?? []) {
      hub.left--
      hub.leftSum -= item
      this.#releaseAfter(hub)
      if (number !== hub.cycle && --hub.leftOutside === 0 && this.#cycle(hub.cycle) !== undefined) {
        this.#releaseCycle(hub.cycle)
      }
    }
    this.#breakIfStuck(cycle)
  }

  /** Releases the items that need not wait for this hub any longer. An item does not wait for itself. */
  #releaseAfter(hub: HubState): void {
    if (hub.left === 1 && hub.waiting.delete(hub.leftSum)) this.#release(hub.leftSum, hub.cycle)
    if (hub.left > 0) return
    for (const item of hub.after) if (hub.waiting.delete(item)) this.#release(item, hub.cycle)
  }

  #breakIfStuck(cycle: Cycle): void {
    if (cycle.waitsFor > 0 || cycle.ready > 0) return
    while (cycle.next < cycle.members.length && this.#done[cycle.members[cycle.next]!] === 1) cycle.next++
    const smallest = cycle.members[cycle.next]
    if (smallest !== undefined) this.#makeReady(smallest)
  }
}
