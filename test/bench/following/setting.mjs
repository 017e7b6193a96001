// Shared by the kinds that follow: a gateway that receives writes, another one on the same database that is followed and measured,
// subscribers in a process of their own, and figures that the kernel has of them.
import { fork } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openConnection, requestBytes } from '../clients/connection.mjs'
import { SYSTEMS } from '../systems.mjs'

export { sleep }
export const CHANGES =
  'subscription ($after: String, $where: EntryFilter) { changes(after: $after, where: $where) { cursor revision complete synced changes { kind entryId entry { digest revision meta data } } } }'
const WRITE =
  'mutation ($input: ApplyChangesetInput!) { applyChangeset(input: $input) { ... on Applied { transition { revision } } ... on Refused { problems { message } } } }'
const WRITERS = 64
/** Changes a second: 30,000 deliveries with a thousand subscribers. */
const RATE = 30

/** Milliseconds of the machine's monotonic clock, which is the same in every process. */
export const now = () => Number(process.hrtime.bigint()) / 1e6

export async function openSetting(registry, { broadcasts = false, writes = true } = {}) {
  const { start } = SYSTEMS.cadastre
  const followed = await start(registry)
  const written = writes ? await start(registry) : null
  const raw = broadcasts ? await SYSTEMS.ws.start(registry) : null
  const subscribers = await openSubscribers()
  const writer = written === null ? null : await openWriter(written.port, WRITERS)
  const broadcaster = raw === null ? null : await openWriter(raw.port, 4)
  let serial = 0
  const id = (ns = 'follow') => `${ns}:${Date.now().toString(36)}_${serial++}`
  return {
    followed,
    raw,
    subscribers,
    create: (ns, data = { source: 'file://x.lua', modules: ['json', 'time'], n: serial }) => ({
      create: {
        id: id(ns),
        kind: 'function.lua',
        meta: { name: `n${serial}`, comment: 'What it is for', tags: ['a', 'b'] },
        data,
      },
    }),
    /** Applies operations. Resolves to their revision. */
    write: (operations) =>
      writer
        .ask(requestBytes({ path: '/graphql', body: { query: WRITE, variables: { input: { operations } } } }))
        .then((answer) => {
          const revision = JSON.parse(answer).data?.applyChangeset?.transition?.revision
          if (revision === undefined) throw new Error(answer.slice(0, 500))
          return revision
        }),
    /** Sends a text to all subscribers of the raw broadcast. */
    broadcast: (frame) => broadcaster.ask(requestBytes({ path: '/', body: { frame } })),
    async close() {
      subscribers.end()
      writer?.close()
      broadcaster?.close()
      await Promise.all([written?.stop(), followed.stop(), raw?.stop()])
    },
  }
}

/** Calls `once` at a fixed rate. Resolves to the sending times, by the number that `once` resolves to. */
export async function paced(ms, once, rate = RATE) {
  const sent = {}
  const all = []
  const began = now()
  for (let i = 0; i < (rate * ms) / 1_000; i++) {
    await sleep(Math.max(0, began + (i * 1_000) / rate - now()))
    const at = now()
    all.push(
      once().then((number) => {
        sent[number] = at
      }),
    )
  }
  await Promise.all(all)
  return sent
}

/** CPU of all threads of a process, in ms. */
export function cpuOf(pid) {
  let sum = 0
  for (const thread of readdirSync(`/proc/${pid}/task`))
    sum += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
  return sum / 1e6
}

export const open = (port, options) => ({ port, path: '/graphql', queries: [CHANGES], ...options })

/** The cursor of the first batch of each revision after one, up to another. Without them, the cursor of the head. */
export async function cursors(port, after, until) {
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({
      query: 'subscription ($after: String) { changes(after: $after) { cursor revision } }',
      variables: { after },
    }),
  })
  const found = []
  let text = ''
  for await (const piece of response.body) {
    const lines = (text + Buffer.from(piece).toString('latin1')).split('\n')
    text = lines.pop()
    for (const line of lines) {
      const batch = line.startsWith('data: {') ? JSON.parse(line.slice(6)).data.changes : null
      if (batch === null) continue
      found.push(batch.cursor)
      if (until === undefined || batch.revision >= until) return found
    }
  }
  throw new Error('the stream of cursors ended')
}

/** Sends requests over several connections, each by a free one. */
async function openWriter(port, connections) {
  const free = await Promise.all(Array.from({ length: connections }, () => openConnection(port)))
  const all = [...free]
  const waiting = []
  return {
    async ask(bytes) {
      const connection = free.pop() ?? (await new Promise((resolve) => waiting.push(resolve)))
      try {
        return await connection.ask(bytes)
      } finally {
        const next = waiting.shift()
        if (next === undefined) free.push(connection)
        else next(connection)
      }
    },
    close: () => {
      for (const connection of all) connection.close()
    },
  }
}

/** Starts a process that runs tasks. It ends with this one. */
async function openSubscribers() {
  const child = fork(fileURLToPath(new URL('subscribers.mjs', import.meta.url)), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const waiting = new Map()
  let next = 0
  await new Promise((resolve, reject) => child.once('message', resolve).once('error', reject))
  child.on('message', ({ id, answer, error }) => {
    const { resolve, reject } = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) resolve(answer)
    else reject(new Error(error))
  })
  child.once('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error('the subscribers have ended'))
  })
  return {
    pid: child.pid,
    do: (task, input = {}) =>
      new Promise((resolve, reject) => {
        waiting.set(++next, { resolve, reject })
        child.send({ id: next, task, input })
      }),
    end: () => child.kill(),
  }
}
