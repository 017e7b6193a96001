import { cyclesOf } from './cycles.js'
import { NumberHeap } from './number-heap.js'
import type { PrecedenceGraph } from './precedence-graph.js'

/** The numbers of a graph's items in order; `orderOperations` says by which rule, a number standing for its id. */
export function precedenceOrder(graph: PrecedenceGraph): number[] {
  const isOrdered = graph.hubs.length === 0 && graph.after.every((list) => list.length === 0)
  if (isOrdered) return Array.from({ length: graph.size }, (_, number) => number)
  return new Ordering(graph).run()
}

/** Items that wait for each other. One item alone is a circle too, of which nothing need be broken. */
interface Circle {
  readonly members: number[]
  /** Items and hubs outside that some member still waits for. */
  waitsFor: number
  /** Members that are ready and have not gone. */
  ready: number
  /** Members before this place have gone. */
  next: number
}

/** A hub as the run goes on. */
interface HubState {
  readonly after: readonly number[]
  readonly waiting: Set<number>
  readonly circle: number
  /** How many of `before` have not gone, and the sum of their numbers: of the last one, its number. */
  left: number
  leftSum: number
  /** How many of them are of another circle than the hub's. */
  leftOutside: number
}

class Ordering {
  readonly #graph: PrecedenceGraph
  readonly #circleOf: Int32Array
  readonly #circles = new Map<number, Circle>()
  readonly #hubs: HubState[]
  /** For each item the hubs that it goes before. */
  readonly #hubsOf = new Map<number, HubState[]>()
  /** How many items and hubs each item still waits for. */
  readonly #waitsFor: Int32Array
  readonly #queued: Uint8Array
  readonly #gone: Uint8Array
  readonly #ready = new NumberHeap()

  constructor(graph: PrecedenceGraph) {
    this.#graph = graph
    this.#circleOf = cyclesOf(graph)
    this.#waitsFor = new Int32Array(graph.size)
    this.#queued = new Uint8Array(graph.size)
    this.#gone = new Uint8Array(graph.size)
    for (let item = 0; item < graph.size; item++) {
      const number = this.#circleOf[item]!
      const circle = this.#circles.get(number)
      if (circle === undefined) this.#circles.set(number, { members: [item], waitsFor: 0, ready: 0, next: 0 })
      else circle.members.push(item)
    }
    graph.after.forEach((list, item) => list.forEach((later) => this.#wait(later, this.#circleOf[item]!)))
    this.#hubs = graph.hubs.map((hub, h) => this.#hubState(hub.before, hub.after, this.#circleOf[graph.size + h]!))
  }

  run(): number[] {
    for (let item = 0; item < this.#graph.size; item++) if (this.#waitsFor[item] === 0) this.#makeReady(item)
    for (const hub of this.#hubs) this.#releaseAfter(hub)
    for (const circle of this.#circles.values()) this.#breakIfStuck(circle)

    const order: number[] = []
    for (let item = this.#ready.pop(); item !== undefined; item = this.#ready.pop()) {
      order.push(item)
      this.#go(item)
    }
    return order
  }

  #circle(number: number): Circle | undefined {
    return this.#circles.get(number)
  }

  /** `later` waits for one thing more, which stands in this circle. */
  #wait(later: number, circle: number): void {
    this.#waitsFor[later]!++
    if (this.#circleOf[later] !== circle) this.#circle(this.#circleOf[later]!)!.waitsFor++
  }

  #release(later: number, circle: number): void {
    this.#waitsFor[later]!--
    if (this.#waitsFor[later] === 0) this.#makeReady(later)
    if (this.#circleOf[later] !== circle) this.#releaseCircle(this.#circleOf[later]!)
  }

  #releaseCircle(number: number): void {
    const circle = this.#circle(number)!
    circle.waitsFor--
    this.#breakIfStuck(circle)
  }

  #hubState(before: readonly number[], after: readonly number[], circle: number): HubState {
    const state: HubState = { after, waiting: new Set(after), circle, left: before.length, leftSum: 0, leftOutside: 0 }
    for (const item of before) {
      state.leftSum += item
      if (this.#circleOf[item] !== circle) state.leftOutside++
      const hubs = this.#hubsOf.get(item)
      if (hubs === undefined) this.#hubsOf.set(item, [state])
      else hubs.push(state)
    }
    for (const item of after) this.#wait(item, circle)
    // Those of the hub's own circle wait for what is outside through it, and the circle with them, once.
    const own = this.#circle(circle)
    if (own !== undefined && state.leftOutside > 0) own.waitsFor++
    return state
  }

  #makeReady(item: number): void {
    if (this.#queued[item] === 1) return
    this.#queued[item] = 1
    this.#circle(this.#circleOf[item]!)!.ready++
    this.#ready.push(item)
  }

  #go(item: number): void {
    this.#gone[item] = 1
    const number = this.#circleOf[item]!
    const circle = this.#circle(number)!
    circle.ready--
    for (const later of this.#graph.after[item]!) this.#release(later, number)
    for (const hub of this.#hubsOf.get(item) ?? []) {
      hub.left--
      hub.leftSum -= item
      this.#releaseAfter(hub)
      if (number !== hub.circle && --hub.leftOutside === 0 && this.#circle(hub.circle) !== undefined) {
        this.#releaseCircle(hub.circle)
      }
    }
    this.#breakIfStuck(circle)
  }

  /** Lets go what need not wait for this hub any more. An item does not wait for itself: it may be the one left. */
  #releaseAfter(hub: HubState): void {
    if (hub.left === 1 && hub.waiting.delete(hub.leftSum)) this.#release(hub.leftSum, hub.circle)
    if (hub.left > 0) return
    for (const item of hub.after) if (hub.waiting.delete(item)) this.#release(item, hub.circle)
  }

  #breakIfStuck(circle: Circle): void {
    if (circle.waitsFor > 0 || circle.ready > 0) return
    while (circle.next < circle.members.length && this.#gone[circle.members[circle.next]!] === 1) circle.next++
    const smallest = circle.members[circle.next]
    if (smallest !== undefined) this.#makeReady(smallest)
  }
}
