import { comparePositions } from '../../registry/following/log-position.js'
import type { StreamPosition } from '../../registry/following/stream-position.js'
import type { Broadcast } from './broadcast.js'
import type { ResultFeed } from './result-feed.js'
import type { ResultSink } from './shared-result.js'

/**
 * One client's subscription: a place in a run and a socket. It is handed what comes next when its socket has taken
 * what came before; nothing is kept for it. Falling out of what its run keeps, it goes on in a run of its own until
 * it has caught up.
 */
export class Subscriber {
  /** When it began, by `performance.now()`. */
  readonly since: number
  /** After the last result that was sent; null before one that has a place in the log. */
  place: StreamPosition | null = null
  /** Number of the result it is to get next. */
  next: number
  /** It has joined a run that may not be as far yet as it is itself. */
  #joined = false
  #busy = false
  #over = false
  readonly ended: Promise<void>
  #resolve!: () => void
  #reject!: (error: unknown) => void

  constructor(
    private readonly operation: Broadcast,
    private run: ResultFeed,
    private readonly sink: ResultSink,
    since: number,
  ) {
    this.since = since
    this.next = run.first
    this.ended = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    run.members.add(this)
  }

  /** Sends what there is when it is its turn, or waits for more. */
  step(): void {
    if (this.#busy) return
    this.#guarded(() => {
      if (!this.#place()) return
      // Who has no place in the log as yet can go on in this run alone: it is not to wait until its next result is let go.
      if (this.place === null || this.operation.turns.isFree()) return this.#send()
      this.#busy = true
      this.run.queued.add(this)
      this.operation.turns.add(this)
    })
  }

  /** It is its turn, or what it waits for is about to be let go; then its turn comes once more, for nothing. */
  takeTurn(): void {
    if (!this.run.queued.delete(this)) return
    this.#busy = false
    this.#guarded(() => {
      if (this.#place()) this.#send()
    })
  }

  /** Lets go of everything; `ended` resolves. May be called again. */
  end(): void {
    if (!this.#over) this.#finish()
  }

  #guarded(work: () => void): void {
    if (this.#over) return
    try {
      work()
    } catch (error) {
      this.#finish(error)
    }
  }

  /** Goes over to the run in which it may best go on; whether that has something for it. */
  #place(): boolean {
    const { place } = this
    if (place !== null && place.position.position === Infinity) {
      const better = this.operation.betterRun(this.run, place, this.since, this.next >= this.run.end)
      if (better !== null) this.#join(better, place)
    }
    if (this.next < this.run.first) this.#join(this.operation.runFrom(place!, this.since), place!)
    if (this.#joined) this.#skipKnown(place!)
    if (this.next < this.run.end) return true
    const { ended } = this.run
    if (ended === null) this.run.wait(this)
    else this.#finish(ended.error)
    return false
  }

  #send(): void {
    const results = this.run.from(this.next)
    this.next += results.length
    this.place = results.last.place
    this.#busy = true
    this.sink.send(results, this.#taken)
  }

  readonly #taken = (): void => {
    this.#busy = false
    this.step()
  }

  #join(run: ResultFeed, place: StreamPosition): void {
    const left = this.run
    this.run = run
    run.members.add(this)
    this.next = run.after(place)
    this.#joined = true
    left.leave(this)
    this.operation.left(left)
  }

  /** What it was told elsewhere it is not told again. */
  #skipKnown({ position }: StreamPosition): void {
    while (this.next < this.run.end && comparePositions(this.run.at(this.next).place!.position, position) <= 0)
      this.next += 1
    this.#joined = this.next >= this.run.end
  }

  #finish(error?: unknown): void {
    this.#over = true
    this.run.leave(this)
    this.operation.left(this.run)
    if (error === undefined) this.#resolve()
    else this.#reject(error)
  }
}
