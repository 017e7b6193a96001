// What following costs: `npm run build && node test/bench/following.mjs [one filters sparse idle resume stalled propagation]`.
// Starts a Postgres of its own and two gateways on it: one is written to, the other, which is measured, is followed.
// Subscribers are in a third process, what they are held against (`ws` alone, broadcasting) in a fourth.
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { connectionOptions } from '../../dist/store/postgres/connection-options.js'
import { startEmbeddedPostgres } from '../../dist/store/embedded/start-embedded-postgres.js'
import { cpuMs, now, residentBytes, sleep, startGateway, tasked } from './following/processes.mjs'

const CHANGES = 'subscription { changes { cursor revision complete synced changes { kind entryId entry { digest revision meta data } } } }'
const SUBSCRIBERS = Number(process.env.SUBSCRIBERS ?? 1_000)
const SECONDS = Number(process.env.SECONDS ?? 8)
const RATE = 30
const chosen = process.argv.slice(2)

const folder = mkdtempSync(join(tmpdir(), 'cadastre-bench-'))
const server = await startEmbeddedPostgres({ dataDir: folder })
const environment = { CADASTRE_STORE: 'postgres', DATABASE_URL: server.url, CADASTRE_DATA_DIR: folder }
const written = await startGateway(environment)
const followed = await startGateway(environment, true)
const clients = await tasked('clients.mjs')
const raw = await tasked('raw-broadcast.mjs')
const agent = new Agent({ keepAlive: true, maxSockets: 64 })
const sql = postgres({ ...connectionOptions(server.url), max: 1 })
let serial = 0

const scenarios = { one, filters, sparse, idle, resume, stalled, propagation }
try {
  await write([create('bench:first')])
  for (const name of chosen.length > 0 ? chosen : Object.keys(scenarios)) {
    const told = await scenarios[name]()
    for (const line of [told].flat()) console.log(`| ${name} | ${line} |`)
    await clients.do('close')
    await sleep(500)
  }
} finally {
  clients.end()
  raw.end()
  agent.destroy()
  await sql.end()
  await Promise.all([written.end(), followed.end()])
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
}

async function one() {
  return held(await following([CHANGES], () => [create(`bench:${serial}`)]), 1.3)
}

/** Every change has something for each of 100 filters. */
async function filters() {
  const queries = Array.from({ length: 100 }, (_, i) => filtered(`f${i}`))
  return held(await following(queries, () => queries.map((_, i) => create(`f${i}:${serial}`))), 1.5)
}

/** Every change has something for one of 100 filters: a hundredth of the subscribers. */
async function sparse() {
  const queries = Array.from({ length: 100 }, (_, i) => filtered(`f${i}`))
  let i = 0
  return held(await following(queries, () => [create(`f${i++ % 100}:${serial}`)], { rate: 300 }), 1.5)
}

async function held({ perDelivery, frameBytes, deliveries, rate, broadcastTo }, aim) {
  const base = await broadcast(frameBytes, rate, broadcastTo)
  return `${perDelivery.toFixed(1)} µs of server CPU for each delivery (${deliveries} of ${frameBytes} bytes), ${base.toFixed(1)} µs by ws alone: `
    + `${(perDelivery / base).toFixed(2)} times (aim ${aim})`
}

async function following(queries, operations, { rate = RATE } = {}) {
  await clients.do('open', { port: followed.port, path: '/graphql', count: SUBSCRIBERS, queries })
  await rounds(operations, rate, 2)
  await clients.do('reset')
  const began = cpuMs(followed.child.pid)
  const sent = await rounds(operations, rate, SECONDS)
  await clients.do('quiet')
  const cpu = cpuMs(followed.child.pid) - began
  const { frames, bytes } = await clients.do('counted')
  const { p50, p99 } = await clients.do('latencies', { sent })
  console.error(`latency from sending: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`)
  await clients.do('close')
  return {
    perDelivery: cpu * 1_000 / frames, frameBytes: Math.round(bytes / frames), deliveries: frames, rate,
    broadcastTo: Math.round(frames / Object.keys(sent).length),
  }
}

/** Writes at a pace; when each was sent, by revision. */
async function rounds(operations, rate, seconds) {
  const sent = {}
  const all = []
  const began = now()
  for (let i = 0; i < rate * seconds; i++) {
    await sleep(Math.max(0, began + i * 1_000 / rate - now()))
    const at = now()
    serial += 1
    all.push(write(operations()).then((revision) => { sent[revision] = at }))
  }
  await Promise.all(all)
  return sent
}

/** CPU of `ws` alone, in microseconds for each frame. */
async function broadcast(bytes, rate, count) {
  await clients.do('open', { port: raw.hello.port, path: '/', count, queries: [''], raw: true })
  const sending = async (seconds) => {
    const began = now()
    for (let i = 0; i < rate * seconds; i++) {
      await sleep(Math.max(0, began + i * 1_000 / rate - now()))
      await raw.post({ bytes })
    }
    await sleep(300)
  }
  await sending(2)
  await clients.do('reset')
  const began = cpuMs(raw.child.pid)
  await sending(SECONDS)
  const cpu = cpuMs(raw.child.pid) - began
  const { frames } = await clients.do('counted')
  await clients.do('close')
  return cpu * 1_000 / frames
}

async function idle() {
  const count = Number(process.env.IDLE ?? 10_000)
  const asked = async () => Number((await sql`SELECT xact_commit + xact_rollback AS n FROM pg_stat_database WHERE datname = current_database()`)[0].n)
  const open = async (process, options) => {
    // What opening itself needs is made once before.
    await clients.do('open', { count: 200, ...options })
    await clients.do('close')
    await sleep(1_000)
    const before = residentBytes(process.child.pid)
    await clients.do('open', { count, reads: 0, ...options })
    await sleep(8_000)
    return (residentBytes(process.child.pid) - before) / count / 1024
  }
  const base = await open(raw, { port: raw.hello.port, path: '/', queries: [''], raw: true })
  await clients.do('close')
  const each = await open(followed, { port: followed.port, path: '/graphql', queries: [CHANGES] })
  const before = await asked()
  await sleep(20_000)
  // The look itself and what Postgres does by itself are in it.
  const queries = await asked() - before
  return `${each.toFixed(1)} KB resident for each of ${count} (ws alone: ${base.toFixed(1)} KB; aim 25), ${queries} transactions of the whole database in 20 s`
}

async function resume() {
  const versions = Number(process.env.VERSIONS ?? 10_000)
  const query = 'subscription ($after: String) { changes(after: $after) { cursor revision synced changes { kind entryId } } }'
  const cursor = await headCursor()
  let left = versions
  await Promise.all(Array.from({ length: 64 }, async () => {
    while (left-- > 0) await write([create(`bench:${serial++}`)])
  }))
  await sleep(1_000)
  const head = Number((await ask('{ snapshot { revision } }')).data.snapshot.revision)
  const before = residentBytes(followed.child.pid)
  const cpu = cpuMs(followed.child.pid)
  const began = now()
  const opening = clients.do('open', { port: followed.port, path: '/graphql', count: SUBSCRIBERS, queries: [query], variables: { after: cursor }, keepTimes: false })
  let most = 0
  const watching = setInterval(() => { most = Math.max(most, residentBytes(followed.child.pid) - before) }, 20)
  await opening
  const { at } = await clients.do('reached', { revision: head, ms: 120_000 })
  clearInterval(watching)
  const { frames, least, gaps, bytes } = await clients.do('counted')
  return `${SUBSCRIBERS} over ${versions} versions: ${((at - began) / 1_000).toFixed(1)} s (aim 10), ${frames} frames of ${Math.round(bytes / frames)} bytes, `
    + `the least got ${least}, gaps ${gaps}; ${((cpuMs(followed.child.pid) - cpu) / 1_000).toFixed(1)} s of CPU, at most ${(most / 1048576).toFixed(0)} MB more resident`
}

async function stalled() {
  const data = 'x'.repeat(4_000)
  const measured = async (pausedCount) => {
    await clients.do('open', { port: followed.port, path: '/graphql', count: 1_000, queries: [CHANGES] })
    if (pausedCount > 0) await clients.do('pause', { from: 1_000 - pausedCount })
    const before = residentBytes(followed.child.pid)
    await rounds(() => [create(`bench:${serial}`, data)], RATE, 2)
    await clients.do('reset')
    const sent = await rounds(() => [create(`bench:${serial}`, data)], RATE, SECONDS)
    await clients.do('reached', { revision: Math.max(...Object.keys(sent).map(Number)), of: 1_000 - pausedCount })
    const times = await clients.do('latencies', { sent })
    const grown = (residentBytes(followed.child.pid) - before) / 1048576
    let missed = ''
    if (pausedCount > 0) {
      // Long enough that they fall out of every window and socket buffer.
      const more = await rounds(() => [create(`bench:${serial}`, data)], 100, 10)
      await sleep(500)
      const later = (residentBytes(followed.child.pid) - before) / 1048576
      await clients.do('resume')
      await clients.do('reached', { revision: Math.max(...Object.keys(more).map(Number)) })
      const { gaps } = await clients.do('counted')
      missed = `, ${later.toFixed(0)} MB after ${Object.keys(more).length} more; they read on with ${gaps} gaps`
    }
    await clients.do('close')
    await sleep(500)
    return { ...times, grown, missed }
  }
  const without = await measured(0)
  const beside = await measured(200)
  return `p99 ${without.p99.toFixed(1)} ms without, ${beside.p99.toFixed(1)} ms beside 200 stalled: ${(beside.p99 / without.p99).toFixed(2)} times (aim 2); `
    + `p50 ${without.p50.toFixed(1)} and ${beside.p50.toFixed(1)}; memory +${without.grown.toFixed(0)} MB and +${beside.grown.toFixed(0)} MB${beside.missed}`
}

async function propagation() {
  const median = (times) => times.sort((a, b) => a - b)[times.length >> 1]
  const listener = postgres({ ...connectionOptions(server.url), max: 1 })
  let heard
  await listener.listen('bench', () => heard?.(now()))
  await sql`CREATE TABLE IF NOT EXISTS bench_note (n int)`
  const bare = []
  const committed = []
  for (let i = 0; i < 300; i++) {
    let came = new Promise((resolve) => { heard = resolve })
    let at = now()
    await sql`SELECT pg_notify('bench', '')`
    bare.push(await came - at)
    came = new Promise((resolve) => { heard = resolve })
    at = now()
    await sql.begin((t) => [t`INSERT INTO bench_note VALUES (1)`, t`SELECT pg_notify('bench', '')`])
    committed.push(await came - at)
    await sleep(5)
  }
  await listener.end()
  await clients.do('open', { port: followed.port, path: '/graphql', count: 1, queries: [CHANGES] })
  const sent = {}
  const acknowledged = {}
  for (let i = 0; i < 300; i++) {
    const at = now()
    const revision = await write([create(`bench:${serial++}`)])
    sent[revision] = at
    acknowledged[revision] = now()
    await sleep(10)
  }
  await sleep(300)
  const whole = await clients.do('latencies', { sent })
  const after = await clients.do('latencies', { sent: acknowledged })
  const base = median(bare)
  const withCommit = median(committed)
  return `p50 ${whole.p50.toFixed(2)} ms from sending a mutation to one gateway to the frame from the other, ${after.p50.toFixed(2)} ms from its answer; `
    + `a bare NOTIFY ${base.toFixed(2)} ms, one in a transaction that writes a row ${withCommit.toFixed(2)} ms: `
    + `${(whole.p50 / withCommit).toFixed(2)} times (aim 3)`
}

function filtered(ns) {
  return CHANGES.replace('changes {', `changes(where: {ns: {eq: "${ns}"}}) {`)
}

function create(id, data = { source: 'file://x.lua', modules: ['json', 'time'], n: serial }) {
  return { create: { id, kind: 'function.lua', meta: { name: id, comment: 'What it is for', tags: ['a', 'b'] }, data } }
}

async function headCursor() {
  return new Promise((resolve, reject) => {
    const body = JSON.stringify({ query: 'subscription { changes { cursor } }' })
    const sent = request(followed.endpoint, { method: 'POST', headers: { 'content-type': 'application/json', accept: 'text/event-stream' } }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece) => {
        text += piece
        const cursor = /"cursor":"([^"]+)"/.exec(text)?.[1]
        if (cursor) { resolve(cursor); response.destroy() }
      }).on('error', () => undefined)
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

async function write(operations) {
  const query = 'mutation ($input: ApplyChangesetInput!) { applyChangeset(input: $input) { ... on Applied { transition { revision } } ... on Refused { problems { message } } } }'
  const answer = await ask(query, { input: { operations } })
  const revision = answer.data?.applyChangeset?.transition?.revision
  if (revision === undefined) throw new Error(JSON.stringify(answer))
  return revision
}

function ask(query, variables = {}) {
  const body = JSON.stringify({ query, variables })
  return new Promise((resolve, reject) => {
    const sent = request(written.endpoint, { method: 'POST', agent, headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece) => { text += piece }).on('end', () => resolve(JSON.parse(text)))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
