// Sends requests to one system over many connections, from a process of its own. Each connection sends its next request when it has
// the answer. A message starts it. It reports `began` and `done` around the measurement, so that the parent can read the servers' CPU time.
import { REQUESTS } from '../requests.mjs'
import { summary } from '../statistics.mjs'
import { openConnection, requestBytes } from './connection.mjs'
import { etcd3Requests } from './etcd3.mjs'

process.once('message', (job) =>
  run(job).then(
    (result) => process.send({ done: result }, () => process.exit(0)),
    (error) => {
      process.send({ failed: String(error.stack) }, () => process.exit(1))
    },
  ),
)

async function run(job) {
  const channels = job.system === 'etcd3' ? await etcd3Requests(job) : await httpRequests(job)
  let next = 0
  const load = async (ms) => {
    const times = []
    const until = performance.now() + ms
    await Promise.all(
      channels.map(async (ask) => {
        for (let began = performance.now(); began < until; began = performance.now()) {
          await ask(next++)
          times.push(performance.now() - began)
        }
      }),
    )
    return times
  }
  await load(job.warmUpMs)
  process.send('began')
  const began = performance.now()
  const times = await load(job.ms)
  return summary(times, performance.now() - began)
}

async function httpRequests(job) {
  const connections = await Promise.all(Array.from({ length: job.connections }, () => openConnection(job.port)))
  const requestOf = await REQUESTS[job.system][job.request](job, (request) => connections[0].ask(requestBytes(request)))
  return connections.map(({ ask }) => async (n) => {
    const request = requestOf(n)
    const body = await ask(requestBytes(request))
    if (!body.includes(request.answers)) throw new Error(`${job.system} answered ${body.slice(0, 300)}`)
  })
}
