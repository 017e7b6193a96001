import { parentPort } from 'node:worker_threads'
import type { ComposeJob, ComposeResult } from './compose-job.js'
import { composeSubgraphs } from './compose-subgraphs.js'

const port = parentPort!

port.on('message', async (job: ComposeJob) => {
  port.postMessage((await composeSubgraphs(job)) satisfies ComposeResult)
})
