import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { buildSchema, parse, validate } from 'graphql'
import pc from 'picocolors'
import { describe, expect, it } from 'vitest'
import { runCli } from '../../src/cli/run-cli.js'
import {
  MAX_CONDITIONS,
  MAX_NESTING,
  MAX_PATTERN_LENGTH,
  MAX_REGEXES,
} from '../../src/core/criteria/criteria-limits.js'
import { MAX_NAME_BYTES, MAX_NAMESPACE_BYTES } from '../../src/core/entry/entry-id.js'
import { MAX_INSTANCE_NAME_BYTES, TTL } from '../../src/core/entry/instance.js'
import { MAX_KIND_BYTES } from '../../src/core/entry/kind.js'
import { EVENT_KINDS } from '../../src/core/events/event-kinds.js'
import { DEFAULT_PAGE, MAX_PAGE } from '../../src/graphql/relay/page-args.js'
import { REGISTRY_LIMITS } from '../../src/registry/create-registry.js'
import { LONGEST_TEXT } from '../../src/registry/writing/check-write.js'
import { loadConfig } from '../../src/server/config/config.js'
import { configFileSchema } from '../../src/server/config/config-file.js'
import { CONNECTION_LIMITS } from '../../src/server/connections/connection-limits.js'
import { OPERATION_LIMITS } from '../../src/server/pipeline/operation-limits.js'
import { SOCKET_LIMITS } from '../../src/server/websocket/socket-limits.js'
import { PAGE_BYTES } from '../../src/store/postgres/read/bounded-rows.js'
import { keysOf } from './config-keys.js'
import {
  anchors,
  codeBlocks,
  codeSpans,
  DOCUMENTS,
  ROOT,
  readText,
  section,
  tableRows,
  withoutCodeBlocks,
} from './markdown.js'

const rowsOf = (path: string) => tableRows(readText(path))
const firstCells = (path: string) => rowsOf(path).flatMap(([cell]) => codeSpans(cell!))

describe('links and paths in documents', () => {
  const links = DOCUMENTS.flatMap((document) =>
    [...withoutCodeBlocks(readText(document)).matchAll(/\]\(([^)\s]+)\)|<(https?:[^>]+)>/g)].map(
      ([, target, address]) => [document, target ?? address!] as const,
    ),
  )

  it('are found', () => {
    expect(links.length).toBeGreaterThan(10)
  })

  it.each(links.filter(([, target]) => !/^https?:/.test(target)))(
    '%s: the link %s has a target',
    (document, target) => {
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? document : normalize(join(dirname(document), path))
      expect(existsSync(join(ROOT, file)), file).toBe(true)
      expect(file.startsWith('..'), 'stays within the repository').toBe(false)
      if (anchor !== undefined) expect(anchors(readText(file))).toContain(anchor)
    },
  )

  const paths = DOCUMENTS.flatMap((document) => {
    const text = readText(document).replace(/\]\([^)]*\)/g, ']')
    const found =
      text.match(
        /(?<![\w./-])(?:src|test|scripts|schema|drizzle|web-playground|docs|examples|bin|\.ci|\.github)\/[\w./-]*\w/g,
      ) ?? []
    return [...new Set(found)].map((path) => [document, path] as const)
  })

  it.each(paths)('%s: the path %s exists', (_, path) => {
    expect(existsSync(join(ROOT, path))).toBe(true)
  })

  it.each([
    ['README.md', 250],
    ['ARCHITECTURE.md', 200],
  ])('%s has at most %d lines', (document, lines) => {
    expect(readText(document).trimEnd().split('\n').length).toBeLessThanOrEqual(lines)
  })

  it('lists every decision record, each with its four parts', () => {
    const records = DOCUMENTS.filter((path) => /^docs\/decisions\/\d/.test(path))
    const listed = [...readText('docs/decisions/README.md').matchAll(/\]\((\d[^)]+)\)/g)].map(([, file]) => file!)
    expect(listed).toEqual(records.map((path) => path.split('/').at(-1)).sort())
    for (const path of records) {
      const parts = [...readText(path).matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)
      expect(parts, path).toEqual(['Context', 'Decision', 'Alternatives', 'Consequences'])
    }
  })

  it.each(DOCUMENTS)('%s names only existing npm scripts', (document) => {
    const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> }
    const named = [...readText(document).matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)].map(
      ([, run, short]) => run ?? short!,
    )
    expect(named.filter((name) => !(name in scripts))).toEqual([])
  })
})

describe('the reference tables', () => {
  it('lists every environment variable that the gateway reads, and no other', () => {
    const read = new Set<string>()
    loadConfig(new Proxy({}, { get: (_, name) => void read.add(String(name)) }), ROOT)
    // For benchmarks and tests only.
    expect(read.delete('CADASTRE_WITHOUT')).toBe(true)
    expect(readText('docs/contributing/performance.md')).toContain('CADASTRE_WITHOUT')
    const documented = firstCells('docs/configuration.md').filter((name) => /^[A-Z_]+$/.test(name))
    expect(documented.sort()).toEqual([...read].sort())
  })

  it('lists every key of cadastre.yaml, and no other', () => {
    const documented = firstCells('docs/configuration.md').filter((key) => /^[a-z]/.test(key))
    expect(documented.sort()).toEqual(keysOf(configFileSchema).sort())
  })

  it('lists every key of each source provider, and no other', async () => {
    const { SOURCE_PROVIDERS } = await import('../../src/server/plugins/gateway-providers.js')
    const rows = rowsOf('docs/sources.md')
    for (const { name, configSchema } of SOURCE_PROVIDERS.filter((provider) => 'shape' in provider.configSchema)) {
      const documented = rows
        .filter(([, of]) => ['both', 'all', `\`${name}\``].includes(of!))
        .map(([key]) => codeSpans(key!)[0]!)
      expect(documented.sort(), name).toEqual(Object.keys((configSchema as unknown as { shape: object }).shape).sort())
    }
  })

  it('shows the number of patterns and the default limits', async () => {
    const { DEFAULT_DEPENDENCY_PATTERNS } = await import('../../src/core/dependency/default-dependency-patterns.js')
    const cells = new Map(rowsOf('docs/configuration.md').map(([key, given]) => [codeSpans(key!)[0]!, given!]))
    expect(cells.get('dependencies[].path')).toContain(`${DEFAULT_DEPENDENCY_PATTERNS.length} patterns`)
    const bytes = (text: string | undefined) => Number(/^(\d+) MiB$/.exec(text ?? '')?.[1]) * 1024 * 1024
    expect(bytes(cells.get('limits.entryBytes'))).toBe(REGISTRY_LIMITS.entryBytes)
    expect(bytes(cells.get('limits.changesetBytes'))).toBe(REGISTRY_LIMITS.changesetBytes)
    expect(Number(cells.get('limits.changesetOperations')?.replace(',', ''))).toBe(REGISTRY_LIMITS.changesetOperations)
  })

  it('shows the default of each variable', () => {
    const { host, port, dataDir, backend, logLevel, introspection } = loadConfig({}, '/clone')
    const shown = new Map(
      rowsOf('docs/configuration.md').map(([name, value]) => [codeSpans(name!)[0], codeSpans(value!)[0]]),
    )
    expect(shown.get('HOST')).toBe(host)
    expect(shown.get('PORT')).toBe(String(port))
    expect(`/clone/${shown.get('CADASTRE_DATA_DIR')}`).toBe(dataDir)
    expect(shown.get('CADASTRE_STORE')).toBe(backend)
    expect(shown.get('CADASTRE_LOG_LEVEL')).toBe(logLevel)
    expect(shown.get('CADASTRE_INTROSPECTION')).toBe(introspection ? 'on' : 'off')
  })

  it('lists the limits that clients meet', () => {
    const { entryBytes, changesetOperations, changesetBytes } = REGISTRY_LIMITS
    const { documentLength, tokens, nesting, aliases, weight, answerBytes, querySeconds, mutationSeconds } =
      OPERATION_LIMITS
    const { bytesPerSecond, lagMs, writeMs } = CONNECTION_LIMITS
    const n = (value: number) => value.toLocaleString('en-US')
    const mib = (bytes: number) => `${bytes / 2 ** 20} MiB`
    expect(rowsOf('docs/limits.md')).toEqual([
      ['A page', `${n(MAX_PAGE)} items, by default ${DEFAULT_PAGE}`],
      ['A namespace, a name, a kind', `${MAX_NAMESPACE_BYTES}, ${MAX_NAME_BYTES}, ${MAX_KIND_BYTES} bytes`],
      ['An entry', `${mib(entryBytes)} of \`meta\` and \`data\`, nested 1,000 levels`],
      ['A changeset', `${n(changesetOperations)} operations, ${mib(changesetBytes)}`],
      [
        'An instance',
        `A name of ${MAX_INSTANCE_NAME_BYTES} bytes, a time to live of ${TTL.least} to ${n(TTL.most)} seconds, metadata of an entry's size`,
      ],
      [
        'An author, an idempotency key, a message',
        `${LONGEST_TEXT.author}, ${LONGEST_TEXT.idempotencyKey}, ${n(LONGEST_TEXT.message)} bytes`,
      ],
      [
        'A GraphQL document',
        `${mib(documentLength)}, ${n(tokens)} tokens, ${nesting} nested brackets, ${n(aliases)} aliases, a weight of ${n(weight)}`,
      ],
      [
        'An answer',
        `${mib(answerBytes)} of JSON, or an eighth of the heap. The contents of a page: ${mib(PAGE_BYTES)}, or a quarter`,
      ],
      [
        'Criteria',
        `${n(MAX_CONDITIONS)} conditions, nested ${MAX_NESTING} levels, ${MAX_REGEXES} regular expressions of ${n(MAX_PATTERN_LENGTH)} characters`,
      ],
      ['A query, a mutation', `${querySeconds} s, ${mutationSeconds} s`],
      ['WebSockets, GraphQL operations on each', `${n(SOCKET_LIMITS.sockets)}, ${SOCKET_LIMITS.operations}`],
      ['A request body or WebSocket message', "Twice the changeset's size plus 1 MiB"],
      [
        'A slow client',
        `Sends at least ${bytesPerSecond / 1024} KiB a second of a body over ${lagMs / 1000} s, and accepts something every ${writeMs / 1000} s`,
      ],
    ])
  })

  it('lists every kind of bus event, and no other', () => {
    const kinds = firstCells('docs/following.md').filter((cell) => /^[a-z]+\.[a-z]+$/.test(cell))
    expect(kinds.sort()).toEqual(Object.keys(EVENT_KINDS).sort())
  })

  it('lists every command with its options', async () => {
    const help = async (...argv: string[]) => {
      let text = ''
      const terminal = {
        write: async (part: string) => {
          text += part
        },
        note: (line: string) => {
          text += `${line}\n`
        },
        colors: pc.createColors(false),
        showStatus: () => {},
        showsProgress: false,
        interrupt: () => new AbortController().signal,
      }
      expect(await runCli([...argv, '--help'], { terminal, version: '0.0.0' })).toBe(0)
      return text
    }
    const rows = tableRows(section(readText('docs/command-line.md'), 'Commands'))
    const documented = rows.map(([command]) => codeSpans(command!)[0]!.split(' ')[1]!)
    const listed = [...(await help()).split('Commands:')[1]!.matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name!)
    expect(documented.sort()).toEqual(listed.filter((name) => name !== 'help').sort())
    for (const [command, what] of rows) {
      const [, name, ...args] = codeSpans(command!)[0]!.split(' ')
      const text = await help(name!)
      for (const argument of args) expect(text.split('\n')[0]).toContain(argument)
      const options = codeSpans(what!).filter((span) => span.startsWith('--'))
      const taken = [...text.split('Global Options')[0]!.matchAll(/^ {2}(--[\w-]+)/gm)].map(([, option]) => option!)
      expect(options.sort(), name).toEqual(taken.filter((option) => option !== '--help').sort())
    }
  })
})

describe('GraphQL in documents', () => {
  const schema = buildSchema(readText('schema/schema.graphql'))
  const blocks = DOCUMENTS.flatMap((path) =>
    codeBlocks(readText(path), 'graphql').map(({ text }) => [path, text.split('\n')[0]!, text] as const),
  )

  it('is found', () => {
    expect(blocks.length).toBeGreaterThan(4)
  })

  it.each(blocks)('%s: %s fits the schema', (_path, _title, text) => {
    expect(validate(schema, parse(text)).map(({ message }) => message)).toEqual([])
  })
})
