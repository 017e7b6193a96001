// The systems by name: a description, and how to start one for a registry. Those without `start` are measured within a kind.
import { execFileSync } from 'node:child_process'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { scratchFolder, startServer } from './processes.mjs'

const file = (path) => fileURLToPath(new URL(path, import.meta.url))
const beside =
  (name) =>
  ({ url, size }) =>
    startServer(process.execPath, [file(`servers/${name}.mjs`)], {
      ready: /listening (\d+)/,
      env: { DATABASE_URL: url, SIZE: String(size) },
    })

export const SYSTEMS = {
  cadastre: { what: 'the gateway, over Postgres', start: startGateway, usesDatabase: true },
  'cadastre, answers with version': {
    what: 'the same, whose answers to writes select `version { number }` and `transition { revision }`',
    start: startGateway,
    usesDatabase: true,
  },
  floor: {
    what: '`node:http`, one prepared query of postgres.js, JSON.stringify',
    start: beside('floor'),
    usesDatabase: true,
  },
  map: { what: '`node:http` over a map in memory', start: beside('map') },
  yoga: { what: 'GraphQL Yoga and Pothos, one query', start: beside('yoga'), usesDatabase: true },
  mercurius: { what: 'Mercurius with jit, one query', start: beside('mercurius'), usesDatabase: true },
  ws: { what: '`ws`, one frame to all', start: beside('ws') },
  etcd: { what: 'etcd by its JSON gateway', start: startEtcd, needs: 'etcd' },
  etcd3: { what: 'etcd by npm `etcd3`', start: startEtcd, needs: 'etcd' },
  copy: { what: 'COPY of the same rows into the same tables' },
  apply: { what: 'applying the changes' },
  rollback: { what: 'rolling them back' },
  'references in buildDelta': { what: '1,500 entries with 1,500 references each, in `buildDelta`' },
  'references in a changeset': { what: 'the same as a changeset' },
  'operations in a changeset': { what: 'a changeset of 100,000 creates' },
  'operations for one id': { what: 'the same, all for one id' },
  'values in an entry': { what: 'an entry of 340,000 empty lists' },
  'keys in an entry': { what: 'an entry of 90,000 keys, with an idempotency key' },
  head: { what: 'reads at the head' },
  old: { what: 'reads at an old revision' },
  smallest: { what: 'the same at an old revision of the smallest registry, alternating with it' },
  many: { what: 'an entry with very many revisions' },
  few: { what: 'an entry with 10 revisions, alternating with it' },
  unstalled: { what: 'all subscribers read' },
  stalled: { what: '200 of 1,000 subscribers read nothing; the times are those of the others' },
  'from its answer': { what: 'from the answer to a write until a subscriber of another gateway has it' },
  'from its sending': { what: 'the same from when the write was sent' },
  notify: { what: '`SELECT pg_notify` until a listener has it' },
  'notify with a row': { what: 'the same in a transaction that writes a row' },
  cold: { what: 'the gateway from its start to its first answer, in a new data folder' },
  warm: { what: 'the same in an existing data folder' },
  with: { what: 'the gateway as it is' },
  without: { what: 'the gateway without one optimization, which `CADASTRE_WITHOUT` names' },
  now: { what: 'the gateway of this checkout' },
  before: { what: 'the gateway of another checkout, which `--against` names' },
  installed: { what: 'the packages that `npm ci --omit=dev` installs, by package-lock.json' },
}

/** Starts a gateway, another checkout's if `BENCH_GATEWAY` names its main module. If `BENCH_PROFILE` names a folder, the gateway writes its CPU profile there when it stops. */
export function startGateway({ url, dataDir }) {
  const profile = process.env.BENCH_PROFILE
  const flags = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]
  const folder = scratchFolder('gateway')
  return removing(
    folder,
    startServer(process.execPath, [...flags, process.env.BENCH_GATEWAY ?? file('../../dist/server/main.js')], {
      ready: /endpoint http:\/\/[^:]+:(\d+)/,
      cwd: folder.path,
      // Without a URL it uses the embedded store.
      env: {
        PORT: '0',
        HOST: '127.0.0.1',
        DATABASE_URL: url ?? '',
        CADASTRE_DATA_DIR: dataDir ?? folder.path,
        CADASTRE_LOG_LEVEL: 'error',
      },
    }),
  )
}

/** Starts etcd with its defaults: every put is on the disk before it is answered. It is empty except for puts of the measurement. */
async function startEtcd() {
  const folder = scratchFolder('etcd')
  const [client, peer] = [await freePort(), await freePort()]
  const server = await removing(
    folder,
    startServer(
      'etcd',
      [
        '--name',
        'bench',
        '--data-dir',
        folder.path,
        '--quota-backend-bytes',
        String(8 * 2 ** 30),
        '--log-outputs',
        'stderr',
        '--listen-client-urls',
        `http://127.0.0.1:${client}`,
        '--advertise-client-urls',
        `http://127.0.0.1:${client}`,
        '--listen-peer-urls',
        `http://127.0.0.1:${peer}`,
        '--initial-advertise-peer-urls',
        `http://127.0.0.1:${peer}`,
        '--initial-cluster',
        `bench=http://127.0.0.1:${peer}`,
      ],
      { ready: /ready to serve client requests()/ },
    ),
  )
  return { ...server, port: client }
}

export function versionOfEtcd() {
  return /Version: (\S+)/.exec(execFileSync('etcd', ['--version'], { encoding: 'utf8' }))[1]
}

async function removing(folder, starting) {
  const server = await starting.catch((error) => {
    folder.remove()
    throw error
  })
  return { ...server, stop: () => server.stop().finally(folder.remove) }
}

async function freePort() {
  const server = createServer().listen({ host: '127.0.0.1', port: 0 })
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}
