// Changesets of one operation over HTTP, by 1, 16 and 64 clients: `npm run build && node test/bench/writes.mjs`.
// The gateway and its embedded database are started for it; the clients are in this process.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Agent, request } from 'node:http'

const SECONDS = 5
const main = fileURLToPath(new URL('../../dist/server/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'cadastre-bench-'))
const gateway = spawn(process.execPath, [main], {
  env: { ...process.env, PORT: '0', CADASTRE_DATA_DIR: folder }, stdio: ['ignore', 'pipe', 'ignore'], cwd: folder,
})
const endpoint = await new Promise((resolve) => gateway.stdout.on('data', (text) => resolve(/endpoint (\S+)/.exec(text)[1])))
const agent = new Agent({ keepAlive: true, maxSockets: 256 })
const query = 'mutation ($input: ApplyChangesetInput!) { applyChangeset(input: $input) { __typename } }'
let next = 0

try {
  for (const clients of [1, 16, 64]) {
    await load(clients, 1_000)
    const { count, times } = await load(clients, SECONDS * 1_000)
    times.sort((a, b) => a - b)
    console.log(`${clients} clients: ${Math.round(count / SECONDS)} changesets/s, median ${times[times.length >> 1].toFixed(1)} ms, p99 ${times[Math.floor(times.length * 0.99)].toFixed(1)} ms`)
  }
} finally {
  agent.destroy()
  gateway.kill('SIGTERM')
  await new Promise((resolve) => gateway.once('exit', resolve))
  rmSync(folder, { recursive: true, force: true })
}

async function load(clients, ms) {
  const until = performance.now() + ms
  const times = []
  await Promise.all(Array.from({ length: clients }, async () => {
    while (performance.now() < until) {
      const began = performance.now()
      const id = `bench:${next++}`
      const input = { operations: [{ create: { id, kind: 'function.lua', meta: { name: id, tags: ['a', 'b'] }, data: { source: 'file://x.lua', n: next } } }] }
      const answer = await post(JSON.stringify({ query, variables: { input } }))
      if (!answer.includes('"Applied"')) throw new Error(answer)
      times.push(performance.now() - began)
    }
  }))
  return { count: times.length, times }
}

function post(body) {
  return new Promise((resolve, reject) => {
    const sent = request(endpoint, { method: 'POST', agent, headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece) => { text += piece }).on('end', () => resolve(text))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
