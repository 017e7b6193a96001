// A process of its own with all the subscribers, who count what they are sent, and the writer. With several filters each
// change is for one of them: `filters` changes are written for one delivery to everybody.
import { openConnection, requestBytes } from './connection.mjs'
import { summary } from '../statistics.mjs'
import { requireOfGateway } from '../servers/shared.mjs'

const WebSocket = requireOfGateway('ws')
const FOLLOW = 'subscription ($find: JSONObject) { changes(find: $find) { cursor revision complete changes { kind entryId entry { kind meta data } } } }'
const WRITE = 'mutation ($input: ApplyChangesetInput!) { applyChangeset(input: $input) { __typename } }'
const AT_ONCE = 50
const LONGEST_MS = 60_000

process.once('message', (job) => run(job).then((done) => process.send({ done }, () => process.exit(0)), (error) => {
  process.send({ failed: String(error.stack) }, () => process.exit(1))
}))

async function run({ system, port, subscribers, filters, changes, entry, round }) {
  let awaited = 0
  let all = () => undefined
  let sentAt = 0
  const times = []
  const heard = (text) => {
    if (system === 'cadastre' && !text.includes('"entryId"')) return
    times.push(performance.now() - sentAt)
    if (--awaited === 0) all()
  }
  const sockets = []
  for (let i = 0; i < subscribers; i += AT_ONCE) {
    const opened = Array.from({ length: Math.min(AT_ONCE, subscribers - i) }, (_, j) => OPEN[system](port, filterOf((i + j) % filters, filters, round), heard))
    sockets.push(...await Promise.all(opened))
  }
  // A subscription is acknowledged by nothing: time for the last ones to begin.
  await new Promise((resolve) => setTimeout(resolve, 500))
  const connection = await openConnection(port)
  const write = async (n) => {
    const group = n % filters
    const content = { ...entry, id: `${entry.id}_${n}`, meta: { ...entry.meta, group: `g${round}.${group}` } }
    const frame = JSON.stringify({ id: '1', type: 'next', payload: { data: { changes: { cursor: 'x'.repeat(40), revision: n, complete: true, changes: [{ kind: 'CREATE', entryId: content.id, entry: content }] } } } })
    awaited = subscribers / filters
    const done = new Promise((resolve, reject) => {
      all = resolve
      setTimeout(() => reject(new Error(`${awaited} subscribers of ${system} did not hear of change ${n}`)), LONGEST_MS).unref()
    })
    sentAt = performance.now()
    const body = system === 'ws' ? { frame } : { query: WRITE, variables: { input: { operations: [{ create: content }] } } }
    await connection.ask(requestBytes({ path: '/graphql', body }))
    await done
  }
  // The raw broadcast knows no filters: each of its frames goes to everybody, so it sends as many fewer.
  const count = system === 'ws' ? changes : changes * filters
  if (system === 'ws') filters = 1
  for (let n = 0; n < Math.max(2, filters); n++) await write(n)
  times.length = 0
  process.send('began')
  const began = performance.now()
  for (let n = 0; n < count; n++) await write(1_000 + n)
  const elapsedMs = performance.now() - began
  for (const socket of sockets) socket.terminate()
  const { p50, p99 } = summary(times, elapsedMs)
  return { deliveries: times.length, p50, p99, elapsedMs }
}

const filterOf = (group, filters, round) => (filters === 1 ? null : { 'meta.group': `g${round}.${group}` })

const OPEN = {
  ws: (port, _find, heard) => new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false })
    socket.on('message', (data) => heard(String(data))).on('open', () => resolve(socket)).on('error', reject)
  }),
  cadastre: (port, find, heard) => new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-transport-ws', { perMessageDeflate: false })
    socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init' }))).on('error', reject)
    socket.on('message', (data) => {
      const text = String(data)
      if (text.includes('"connection_ack"')) {
        socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: FOLLOW, variables: { find } } }))
        return resolve(socket)
      }
      if (text.includes('"errors"') || text.startsWith('{"id":"1","type":"error"')) return reject(new Error(text.slice(0, 500)))
      heard(text)
    })
  }),
}
