/** @bound Time slice for handing results to sockets before the event loop continues. */
const SLICE_MS = 10
/** Looking at the clock costs a tenth of what handing a result on does. */
const STEPS_PER_LOOK = 8

/** One who waits for its turn. */
export interface QueuedRecipient {
  takeTurn(): void
}

/**
 * Whose turn it is to be handed results. A thousand who come back at once would else be sent hundreds of megabytes in
 * one turn of the event loop, since a socket that takes all that it is given asks for more before anything is read:
 * nobody else is heard meanwhile, and those who connect are taken for silent.
 */
export class FairDelivery {
  #queue: QueuedRecipient[] = []
  /** When handing out began in this turn of the event loop; null where it has not. */
  #since: number | null = null
  #steps = 0

  constructor(
    private readonly sliceMs = SLICE_MS,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Whether one who asks may go on at once; else it is to be added. */
  isFree(): boolean {
    if (this.#queue.length > 0) return false
    if (this.#since === null) this.#begin()
    return !this.#isOver()
  }

  /** Has it take its turn after all who wait already. */
  add(one: QueuedRecipient): void {
    if (this.#since === null) this.#begin()
    this.#queue.push(one)
  }

  #begin(): void {
    this.#since = this.now()
    this.#steps = 0
    setImmediate(this.#turn)
  }

  readonly #turn = (): void => {
    this.#since = null
    if (this.#queue.length === 0) return
    this.#begin()
    let next = 0
    // At least one, however short a slice is. Who comes to the queue meanwhile comes after those who are in it.
    do this.#queue[next++]!.takeTurn()
    while (next < this.#queue.length && !this.#isOver())
    this.#queue = this.#queue.slice(next)
  }

  #isOver(): boolean {
    return ++this.#steps % STEPS_PER_LOOK === 0 && this.now() - this.#since! >= this.sliceMs
  }
}
