import { parentPort, workerData } from 'node:worker_threads'
import { FileFault } from '../forms/file-fault.js'
import type { FromWorker, PackedResult, SentJob, ToWorker } from './parse-job.js'
import { type CompiledRules, compileRules, runJob } from './run-job.js'

/** Results are sent in batches of this size, or after this time. */
const RESULT_BYTES = 256 * 1024
const RESULT_MS = 20

const port = parentPort!
/** Serial of the job in flight, so that the gateway's thread can measure its time. */
const { current } = workerData as { current: Int32Array }
const rules = new Map<number, CompiledRules>()
const wanted = new Map<number, (answer: Extract<ToWorker, { type: 'text' }>) => void>()
let wants = 0
let queue: Promise<void> = Promise.resolve()

port.on('message', (message: ToWorker) => {
  if (message.type === 'rules') rules.set(message.number, compileRules(message.rules))
  else if (message.type === 'text') wanted.get(message.want)?.(message)
  else queue = queue.then(() => run(message.jobs))
})

async function run(jobs: readonly SentJob[]): Promise<void> {
  let results: [number, PackedResult][] = []
  let bytes = 0
  let since = performance.now()
  const sendResults = () => {
    if (results.length > 0) port.postMessage({ type: 'done', results } satisfies FromWorker)
    results = []
    bytes = 0
    since = performance.now()
  }
  for (const { serial, rules: number, job } of jobs) {
    Atomics.store(current, 0, serial)
    const result = await runJob(job, rules.get(number)!, (reference) => textOf(serial, reference))
    results.push([serial, result])
    for (const [, , meta, data] of result.entries) bytes += meta.length + data.length
    if (bytes > RESULT_BYTES || performance.now() - since > RESULT_MS) sendResults()
  }
  Atomics.store(current, 0, 0)
  sendResults()
}

async function textOf(serial: number, reference: string): Promise<string> {
  const want = ++wants
  const answer = new Promise<Extract<ToWorker, { type: 'text' }>>((resolve) => wanted.set(want, resolve))
  port.postMessage({ type: 'want', want, serial, reference } satisfies FromWorker)
  const { text, fault } = await answer
  wanted.delete(want)
  if (text === undefined) throw new FileFault(fault ?? 'cannot be read')
  return text
}
