import { Worker } from 'node:worker_threads'
import type { SourceFailure } from '../contract/source-failure.js'
import type { LocationEntry } from '../contract/source-reader.js'
import { FileFault } from '../forms/file-fault.js'
import type { ReadText } from './file-references.js'
import {
  type FromWorker,
  type PackedResult,
  type ParseJob,
  type ParsingRules,
  type SentJob,
  type ToWorker,
  unpackEntry,
} from './parse-job.js'

/** Limits for one text. */
export interface ParsingLimits {
  /** Time for parsing, mapping and checking. Reading referenced files does not count. */
  readonly parseMs: number
  /** Memory of the thread. */
  readonly parseMegabytes: number
}

const PARSING_LIMITS: ParsingLimits = {
  /** @bound Time for parsing one text of a source. */
  parseMs: 15_000,
  /** @bound Memory of the parsing thread. */
  parseMegabytes: 1_024,
}

/** The thread has ended. This error is not about any file. */
export class ParsingEnded extends Error {
  override readonly name = 'ParsingEnded'
}

/** Interval of checking whether a job takes too long. */
const CHECK_MS = 250
/** @bound Texts that are sent to the parsing thread together. */
const BATCH_JOBS = 64
/** @bound Characters of the texts that are sent to the parsing thread together, unless one is longer. */
const BATCH_CHARACTERS = 512 * 1024
/** @bound Batches that the parsing thread has not finished. Further ones wait. */
const BATCHES_AHEAD = 2
/** @bound Time after which an idle parsing thread ends. It holds about 30 MB. */
const IDLE_MS = 60_000

export interface ParseResult {
  readonly entries: readonly LocationEntry[]
  readonly failures: readonly SourceFailure[]
  /** Whether the text as a whole could not be read. */
  readonly isBad: boolean
  /** Whether it exceeded the limits on time or memory. */
  readonly isTooCostly: boolean
}

export interface ParseOptions {
  readonly signal?: AbortSignal | undefined
  /** Reads a file that the text references. */
  readonly read?: ReadText | undefined
}

interface Task extends ParseOptions {
  readonly serial: number
  readonly rules: ParsingRules
  readonly job: ParseJob
  readonly settle: (result: PackedResult, isTooCostly: boolean) => void
  readonly fail: (error: Error) => void
}

interface Running {
  readonly worker: Worker
  /** Serial of the job in flight; 0 if there is none. */
  readonly current: Int32Array
  readonly sent: Map<number, Task>
  readonly sentRules: Set<ParsingRules>
  /** Number of texts that are being read for it. */
  wants: number
  /** The last serial of each batch in flight. */
  batches: number[]
}

/**
 * Parses in a worker thread, so that no file and no regular expression of a mapping or a schema blocks the gateway. A job
 * that takes too much time or memory is given up together with the thread. The other jobs continue in a new thread.
 */
export class ParsingThread {
  readonly #waiting: Task[] = []
  readonly #rules = new WeakMap<ParsingRules, number>()
  #running: Running | undefined
  #timeCheck: NodeJS.Timeout | undefined
  #idle: NodeJS.Timeout | undefined
  #serial = 0
  #rulesCount = 0
  #isClosed = false

  constructor(private readonly limits: ParsingLimits = PARSING_LIMITS) {}

  /** @throws the signal's reason; ParsingEnded if the thread cannot be started or has been closed */
  parse(rules: ParsingRules, job: ParseJob, { signal, read }: ParseOptions = {}): Promise<ParseResult> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(closed())
      if (signal?.aborted === true) return reject(signal.reason as Error)
      const end = () => signal?.removeEventListener('abort', abort)
      const task: Task = {
        serial: (this.#serial = (this.#serial % 0x7fff_ffff) + 1),
        rules,
        job,
        read,
        settle: ({ entries, failures, isBad = false }, isTooCostly) => {
          end()
          resolve({ entries: entries.map(unpackEntry), failures, isBad, isTooCostly })
        },
        fail: (error) => {
          end()
          reject(error)
        },
      }
      const abort = () => {
        const at = this.#waiting.indexOf(task)
        if (at >= 0) this.#waiting.splice(at, 1)
        this.#running?.sent.delete(task.serial)
        reject(signal!.reason as Error)
      }
      signal?.addEventListener('abort', abort, { once: true })
      this.#waiting.push(task)
      // Jobs of the same event-loop tick are sent together.
      if (this.#waiting.length === 1) queueMicrotask(() => this.#send())
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#idle)
    const running = this.#stop()
    for (const task of [...(running?.sent.values() ?? []), ...this.#waiting.splice(0)]) task.fail(closed())
    await running?.worker.terminate()
  }

  #send(): void {
    while (this.#waiting.length > 0 && !this.#isClosed) {
      const running = (this.#running ??= this.#start())
      if (running.batches.length >= BATCHES_AHEAD) return
      const jobs: SentJob[] = []
      let characters = 0
      for (
        let task = this.#waiting[0];
        task !== undefined && jobs.length < BATCH_JOBS && characters < BATCH_CHARACTERS;
        task = this.#waiting[0]
      ) {
        this.#waiting.shift()
        running.sent.set(task.serial, task)
        jobs.push({ serial: task.serial, rules: this.#sendRules(running, task.rules), job: task.job })
        characters += 'text' in task.job ? task.job.text.length : 0
      }
      running.batches.push(jobs.at(-1)!.serial)
      running.worker.ref()
      post(running, { type: 'jobs', jobs })
    }
  }

  #sendRules(running: Running, rules: ParsingRules): number {
    const number = this.#rules.get(rules) ?? ++this.#rulesCount
    this.#rules.set(rules, number)
    if (!running.sentRules.has(rules)) post(running, { type: 'rules', number, rules })
    running.sentRules.add(rules)
    return number
  }

  #start(): Running {
    clearTimeout(this.#idle)
    const current = new Int32Array(new SharedArrayBuffer(4))
    const worker = new Worker(new URL('./parse-worker.js', import.meta.url), {
      workerData: { current },
      resourceLimits: { maxOldGenerationSizeMb: this.limits.parseMegabytes },
      env: {},
      execArgv: [],
      stdin: false,
    })
    const running: Running = { worker, current, sent: new Map(), sentRules: new Set(), wants: 0, batches: [] }
    let failure: Error | undefined
    worker.on('message', (message: FromWorker) => this.#onMessage(running, message))
    worker.on('error', (error: Error) => {
      failure = error
    })
    worker.on('exit', () => this.#onExit(running, failure))
    this.#watchTime(running)
    return running
  }

  #onMessage(running: Running, message: FromWorker): void {
    if (running !== this.#running) return
    if (message.type === 'want') return void this.#giveText(running, message)
    for (const [serial, result] of message.results) {
      const task = running.sent.get(serial)
      running.sent.delete(serial)
      task?.settle(result, false)
      if (running.batches[0] === serial) running.batches.shift()
    }
    this.#send()
    if (running.sent.size === 0) this.#goIdle(running)
  }

  async #giveText(running: Running, { want, serial, reference }: Extract<FromWorker, { type: 'want' }>): Promise<void> {
    running.wants += 1
    const answer = await textOf(running.sent.get(serial)?.read, reference)
    running.wants -= 1
    post(running, { type: 'text', want, ...answer })
  }

  /** Measures the time of the job in flight. Time in which this thread itself was blocked does not count. */
  #watchTime(running: Running): void {
    let serial = 0
    let taken = 0
    let last = performance.now()
    this.#timeCheck = setInterval(() => {
      const now = performance.now()
      const passed = Math.min(now - last, 2 * CHECK_MS)
      last = now
      const current = Atomics.load(running.current, 0)
      if (current === 0 || current !== serial) taken = 0
      else if (running.wants === 0) taken += passed
      serial = current
      if (taken > this.limits.parseMs)
        this.#giveUp(running, serial, `takes longer than ${this.limits.parseMs / 1000} s to parse`)
    }, CHECK_MS)
    this.#timeCheck.unref()
  }

  /** Ends the thread and moves its other jobs to the next one. */
  #giveUp(running: Running, serial: number, why: string): void {
    if (running !== this.#running) return
    this.#stop()
    const task = running.sent.get(serial)
    running.sent.delete(serial)
    this.#waiting.unshift(...running.sent.values())
    task?.settle(tooCostly(task.job.location, why), true)
    void running.worker.terminate()
    this.#send()
  }

  #onExit(running: Running, failure: Error | undefined): void {
    if (running !== this.#running) return
    const serial = Atomics.load(running.current, 0)
    if (
      (failure as NodeJS.ErrnoException | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY' &&
      running.sent.has(serial)
    ) {
      return this.#giveUp(running, serial, `takes more than ${this.limits.parseMegabytes} MB of memory to parse`)
    }
    this.#stop()
    const error = new ParsingEnded(`The parsing thread has ended${failure === undefined ? '' : `: ${failure.message}`}`)
    for (const task of [...running.sent.values(), ...this.#waiting.splice(0)]) task.fail(error)
  }

  #goIdle(running: Running): void {
    running.worker.unref()
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => {
      if (running !== this.#running || running.sent.size > 0) return
      this.#stop()
      void running.worker.terminate()
    }, IDLE_MS)
    this.#idle.unref()
  }

  /** Drops the reference to the running thread and returns it. */
  #stop(): Running | undefined {
    clearInterval(this.#timeCheck)
    const running = this.#running
    this.#running = undefined
    return running
  }
}

function post({ worker }: Running, message: ToWorker): void {
  worker.postMessage(message)
}

async function textOf(
  read: ReadText | undefined,
  reference: string,
): Promise<{ readonly text: string } | { readonly fault: string }> {
  if (read === undefined) return { fault: `file://${reference} cannot be read from here` }
  try {
    return { text: await read(reference) }
  } catch (error) {
    return {
      fault:
        error instanceof FileFault ? error.message : `file://${reference} cannot be read: ${(error as Error).message}`,
    }
  }
}

function tooCostly(file: string, message: string): PackedResult {
  return { entries: [], failures: [{ file, line: null, column: null, entryId: null, message }], isBad: true }
}

function closed(): ParsingEnded {
  return new ParsingEnded('The parsing thread has been closed')
}
