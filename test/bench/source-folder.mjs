// Measures a gateway with a folder of many files: `npm run build && node test/bench/source-folder.mjs [files [entriesInEach]]`.
// The first load, the time from touching a file until the head has it, a restart with nothing changed, and a restart with one file
// changed meanwhile. It uses the embedded store, or the empty database in DATABASE_URL. Reads continue all the time.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { cpuTime, peakMemory } from './processes.mjs'

const FILES = Number(process.argv[2] ?? 80_000)
const EACH = Number(process.argv[3] ?? 1)
const PER_FOLDER = 200
const MAIN = new URL('../../dist/server/main.js', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'cadastre-bench-'))
const nameOf = (file) => join(folder, 'registry', `d${Math.floor(file / PER_FOLDER)}`, `f${file}.yaml`)
const textOf = (file, round) =>
  `namespace: app.d${Math.floor(file / PER_FOLDER)}\nmeta: { owner: team-${file % 17}, tags: [a, b] }\nentries:\n${Array.from({ length: EACH }, (_, n) => `  - name: f${file}.${n}\n    kind: service.http\n    meta: { description: "File ${file}, the entry ${n}" }\n    port: ${file % 60_000}\n    round: ${round}\n    hosts: [ "a${file}.example.com", "b${file}.example.com" ]\n`).join('')}`

const say = (what, value) => console.log(`${what.padEnd(60)} ${value}`)
const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`

async function gateway() {
  const child = spawn(process.execPath, [...process.execArgv, MAIN], {
    cwd: folder,
    env: { ...process.env, PORT: '0', CADASTRE_CONFIG: join(folder, 'cadastre.yaml') },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  process.once('exit', () => child.kill('SIGTERM'))
  const begun = performance.now()
  const news = []
  let out = ''
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()
    for (const line of lines) news.push({ at: performance.now() - begun, line })
  })
  while (!out.includes('\n')) {
    if (child.exitCode !== null) throw new Error(news.map(({ line }) => line).join('\n'))
    await sleep(5)
  }
  const [, endpoint] = /endpoint (\S+)\n/.exec(out)
  const query = async (text) => {
    const answer = await fetch(endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: text }),
    })
    const { data, errors } = await answer.json()
    if (errors !== undefined) throw new Error(JSON.stringify(errors))
    return data
  }
  return {
    query,
    news,
    pid: child.pid,
    since: () => performance.now() - begun,
    async stop() {
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

/** Waits until the source has loaded this often. Resolves to its state, with the longest and the median read meanwhile. */
async function loaded(running, times) {
  const reads = []
  for (;;) {
    const began = performance.now()
    await running.query('{ entries(first: 20) { nodes { entryId data } } }')
    reads.push(performance.now() - began)
    const { source } = await running.query('{ source(name: "app") { status loaded failed reloadCount } }')
    if (source.reloadCount >= times && source.status !== 'LOADING') {
      const sorted = reads.sort((a, b) => a - b)
      return { ...source, longest: sorted.at(-1), median: sorted[sorted.length >> 1], reads: reads.length }
    }
    await sleep(20)
  }
}

/** Writes a file. Resolves to the time until its new content is at the head. */
async function touch(running, file, round) {
  writeFileSync(`${nameOf(file)}.new`, textOf(file, round))
  renameSync(`${nameOf(file)}.new`, nameOf(file))
  const began = performance.now()
  for (;;) {
    const { entry } = await running.query(`{ entry(id: "app.d${Math.floor(file / PER_FOLDER)}:f${file}.0") { data } }`)
    if (entry.data.round === round) return performance.now() - began
    await sleep(5)
  }
}

try {
  const began = performance.now()
  for (let file = 0; file < FILES; file++) {
    if (file % PER_FOLDER === 0) mkdirSync(join(folder, 'registry', `d${file / PER_FOLDER}`), { recursive: true })
    writeFileSync(nameOf(file), textOf(file, 0))
  }
  writeFileSync(join(folder, 'cadastre.yaml'), 'sources:\n  - { name: app, provider: filesystem, path: ./registry }\n')
  say(`${FILES} files of ${EACH} written`, seconds(performance.now() - began))

  let running = await gateway()
  say('ready', seconds(running.since()))
  let state = await loaded(running, 1)
  say(
    'the first load',
    `${seconds(running.since())} (CPU, the store included: ${seconds(cpuTime([running.pid]))}), ${state.loaded} loaded, ${state.failed} failed`,
  )
  say(
    '  log meanwhile',
    `${running.news.filter(({ line }) => line.includes('loading the source')).length} lines of progress`,
  )
  say(
    '  reads meanwhile',
    `${state.reads}, the median ${state.median.toFixed(0)} ms, the longest ${state.longest.toFixed(0)} ms`,
  )
  say('  revisions', (await running.query('{ snapshot { revision } }')).snapshot.revision)
  say('  peak memory of the gateway', `${peakMemory(running.pid).toFixed(0)} MB`)
  for (let round = 1; round <= 5; round++) {
    say('a touched file at the head after', seconds(await touch(running, (round * 15_013) % FILES, round)))
    await sleep(300)
  }
  say('  peak memory by now', `${peakMemory(running.pid).toFixed(0)} MB`)
  const { reloadCount } = await loaded(running, 0)
  await running.stop()

  running = await gateway()
  const ready = running.since()
  state = await loaded(running, reloadCount + 1)
  say(
    'restarted with nothing changed: ready, then scanned',
    `${seconds(ready)}, ${seconds(running.since())}; longest read ${state.longest.toFixed(0)} ms`,
  )
  say('  peak memory', `${peakMemory(running.pid).toFixed(0)} MB`)
  await running.stop()

  writeFileSync(nameOf(7), textOf(7, 99))
  running = await gateway()
  state = await loaded(running, state.reloadCount + 1)
  say(
    'restarted with one changed: at the head after',
    `${seconds(running.since())}, ${(await running.query('{ entry(id: "app.d0:f7.0") { data } }')).entry.data.round === 99}`,
  )
  await running.stop()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
