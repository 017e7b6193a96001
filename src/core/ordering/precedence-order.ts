import { forEachInSteps, ITEMS_PER_STEP, type Steps } from '../algorithms/steps.js'
import { cyclesOf } from './cycles.js'
import { NumberHeap } from './number-heap.js'
import type { PrecedenceGraph } from './precedence-graph.js'

/** Sorts a graph's items by the rule of `orderOperations`, with numbers instead of ids. */
export function* precedenceOrder(graph: PrecedenceGraph): Steps<number[]> {
  const isOrdered = graph.hubs.length === 0 && graph.after.every((list) => list.length === 0)
  if (isOrdered) return Array.from({ length: graph.size }, (_, number) => number)
  return yield* new PrecedenceSort(graph, yield* cyclesOf(graph)).run()
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
  readonly #hubs: HubState[] = []
  /** The hubs that each item precedes. */
  readonly #hubsOf = new Map<number, HubState[]>()
  /** How many items and hubs each item waits for. */
  readonly #waitsFor: Int32Array
  readonly #queued: Uint8Array
  readonly #done: Uint8Array
  readonly #ready = new NumberHeap()

  constructor(graph: PrecedenceGraph, cycleOf: Int32Array) {
    this.#graph = graph
    this.#cycleOf = cycleOf
    this.#waitsFor = new Int32Array(graph.size)
    this.#queued = new Uint8Array(graph.size)
    this.#done = new Uint8Array(graph.size)
  }

  *run(): Steps<number[]> {
    yield* this.#prepare()
    const order: number[] = []
    for (let item = this.#ready.pop(); item !== undefined; item = this.#ready.pop()) {
      order.push(item)
      yield* this.#finish(item)
      if (order.length % ITEMS_PER_STEP === 0) yield
    }
    return order
  }

  *#prepare(): Steps<void> {
    const { size, after, hubs } = this.#graph
    for (let item = 0; item < size; item++) {
      const number = this.#cycleOf[item]!
      const cycle = this.#cycles.get(number)
      if (cycle === undefined) this.#cycles.set(number, { members: [item], waitsFor: 0, ready: 0, next: 0 })
      else cycle.members.push(item)
      if (item % ITEMS_PER_STEP === ITEMS_PER_STEP - 1) yield
    }
    for (let item = 0; item < size; item++) {
      const cycle = this.#cycleOf[item]!
      yield* forEachInSteps(after[item]!, (later) => this.#wait(later, cycle))
      if (item % ITEMS_PER_STEP === ITEMS_PER_STEP - 1) yield
    }
    for (const [h, hub] of hubs.entries())
      this.#hubs.push(yield* this.#hubState(hub.before, hub.after, this.#cycleOf[size + h]!))
    for (let item = 0; item < size; item++) {
      if (this.#waitsFor[item] === 0) this.#makeReady(item)
      if (item % ITEMS_PER_STEP === ITEMS_PER_STEP - 1) yield
    }
    for (const hub of this.#hubs) yield* this.#releaseAfter(hub)
    yield* forEachInSteps(this.#cycles.values(), (cycle) => this.#breakIfStuck(cycle))
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

  *#hubState(before: readonly number[], after: readonly number[], cycle: number): Steps<HubState> {
    const state: HubState = { after, waiting: new Set(), cycle, left: before.length, leftSum: 0, leftOutside: 0 }
    yield* forEachInSteps(before, (item) => {
      state.leftSum += item
      if (this.#cycleOf[item] !== cycle) state.leftOutside++
      const hubs = this.#hubsOf.get(item)
      if (hubs === undefined) this.#hubsOf.set(item, [state])
      else hubs.push(state)
    })
    yield* forEachInSteps(after, (item) => {
      state.waiting.add(item)
      this.#wait(item, cycle)
    })
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

  *#finish(item: number): Steps<void> {
    this.#done[item] = 1
    const number = this.#cycleOf[item]!
    const cycle = this.#cycle(number)!
    cycle.ready--
    yield* forEachInSteps(this.#graph.after[item]!, (later) => this.#release(later, number))
    for (const hub of this.#hubsOf.get(item) ?? []) {
      hub.left--
      hub.leftSum -= item
      yield* this.#releaseAfter(hub)
      if (number !== hub.cycle && --hub.leftOutside === 0 && this.#cycle(hub.cycle) !== undefined) {
        this.#releaseCycle(hub.cycle)
      }
    }
    this.#breakIfStuck(cycle)
  }

  /** Releases the items that need not wait for this hub any longer. An item does not wait for itself. */
  *#releaseAfter(hub: HubState): Steps<void> {
    if (hub.left === 1 && hub.waiting.delete(hub.leftSum)) this.#release(hub.leftSum, hub.cycle)
    if (hub.left > 0) return
    yield* forEachInSteps(hub.after, (item) => {
      if (hub.waiting.delete(item)) this.#release(item, hub.cycle)
    })
  }

  #breakIfStuck(cycle: Cycle): void {
    if (cycle.waitsFor > 0 || cycle.ready > 0) return
    while (cycle.next < cycle.members.length && this.#done[cycle.members[cycle.next]!] === 1) cycle.next++
    const smallest = cycle.members[cycle.next]
    if (smallest !== undefined) this.#makeReady(smallest)
  }
}
