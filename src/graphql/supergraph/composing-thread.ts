import { Worker } from 'node:worker_threads'
import type { ComposeJob, ComposeResult } from './compose-job.js'

/** Limits for one composition. */
export interface ComposingLimits {
  readonly composeMs: number
  /** Memory of the thread. */
  readonly composeMegabytes: number
}

const COMPOSING_LIMITS: ComposingLimits = {
  /** @bound Time for composing a supergraph. */
  composeMs: 120_000,
  /** @bound Memory of the composing thread. 50 subgraphs of 5,000 lines take 2.1 GB. */
  composeMegabytes: 3_072,
}

/** New objects of the thread before a collection. With Node's default, half of the time is garbage collection. */
const YOUNG_MEGABYTES = 256
/** @bound Compositions that wait for the thread. */
const WAITING = 100
/** @bound Time after which an idle composing thread ends. It holds about 30 MB. */
const IDLE_MS = 60_000

/** A composition that was given up, with the reason and what to do. */
class CompositionGivenUp extends Error {
  override readonly name = 'CompositionGivenUp'
}

interface Task {
  readonly job: ComposeJob
  readonly resolve: (result: ComposeResult) => void
  readonly reject: (error: Error) => void
}

/**
 * Composes in a worker thread, one supergraph after another, so that composing never blocks the gateway. A composition
 * that takes too much time or memory is given up together with the thread.
 */
export class ComposingThread {
  readonly #waiting: Task[] = []
  #worker: Worker | undefined
  #current: Task | undefined
  #deadline: NodeJS.Timeout | undefined
  #idle: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(private readonly limits: ComposingLimits = COMPOSING_LIMITS) {}

  /** @throws CompositionGivenUp; the signal's reason */
  compose(job: ComposeJob, signal: AbortSignal): Promise<ComposeResult> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error)
      if (this.#isClosed) return reject(closed())
      if (this.#waiting.length >= WAITING)
        return reject(new CompositionGivenUp('too many changesets wait to be composed. Try again.'))
      const end = () => signal.removeEventListener('abort', abort)
      const task: Task = {
        job,
        resolve: (result) => {
          end()
          resolve(result)
        },
        reject: (error) => {
          end()
          reject(error)
        },
      }
      const abort = () => {
        const at = this.#waiting.indexOf(task)
        if (at >= 0) this.#waiting.splice(at, 1)
        task.reject(signal.reason as Error)
      }
      signal.addEventListener('abort', abort, { once: true })
      this.#waiting.push(task)
      this.#next()
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const worker = this.#worker
    for (const task of [this.#end(), ...this.#waiting.splice(0)]) task?.reject(closed())
    await worker?.terminate()
  }

  #next(): void {
    if (this.#current !== undefined || this.#isClosed) return
    const task = this.#waiting.shift()
    if (task === undefined) return this.#goIdle()
    clearTimeout(this.#idle)
    const worker = (this.#worker ??= this.#start())
    this.#current = task
    const seconds = this.limits.composeMs / 1_000
    this.#deadline = setTimeout(
      () => this.#giveUp(worker, `composing takes longer than ${seconds} s. Publish fewer or smaller subgraphs.`),
      this.limits.composeMs,
    )
    worker.ref()
    worker.postMessage(task.job)
  }

  #start(): Worker {
    const worker = new Worker(new URL('./compose-worker.js', import.meta.url), {
      resourceLimits: {
        maxOldGenerationSizeMb: this.limits.composeMegabytes,
        maxYoungGenerationSizeMb: YOUNG_MEGABYTES,
      },
      env: {},
      execArgv: [],
      stdin: false,
    })
    worker.on('message', (result: ComposeResult) => {
      if (worker !== this.#worker) return
      clearTimeout(this.#deadline)
      const task = this.#current
      this.#current = undefined
      task?.resolve(result)
      this.#next()
    })
    worker.on('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'ERR_WORKER_OUT_OF_MEMORY'
          ? `composing takes more than ${this.limits.composeMegabytes} MB of memory. Publish fewer or smaller subgraphs.`
          : error.message
      this.#giveUp(worker, why)
    })
    worker.on('exit', () => this.#giveUp(worker, 'the composing thread has ended. Try again.'))
    return worker
  }

  /** Ends the thread and its composition. The next one runs in a new thread. */
  #giveUp(worker: Worker, why: string): void {
    if (worker !== this.#worker) return
    this.#end()?.reject(new CompositionGivenUp(why))
    void worker.terminate()
    this.#next()
  }

  /** Forgets the running thread and returns its task. */
  #end(): Task | undefined {
    clearTimeout(this.#deadline)
    clearTimeout(this.#idle)
    this.#worker = undefined
    const task = this.#current
    this.#current = undefined
    return task
  }

  #goIdle(): void {
    const worker = this.#worker
    if (worker === undefined) return
    worker.unref()
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => {
      if (worker !== this.#worker || this.#current !== undefined) return
      this.#end()
      void worker.terminate()
    }, IDLE_MS)
    this.#idle.unref()
  }
}

function closed(): CompositionGivenUp {
  return new CompositionGivenUp('the gateway is stopping. Try again.')
}
