import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { buildSchema, type DocumentNode, getVariableValues, Kind, parse, validate } from 'graphql'
import pc from 'picocolors'
import { describe, expect, it } from 'vitest'
import { runCli } from '../../src/cli/run-cli.js'
import { ERROR_CODES, PROBLEM_CODES } from '../../src/core/errors/codes.js'
import { loadConfig } from '../../src/server/config/config.js'
import { configFileSchema } from '../../src/server/config/config-file.js'
import { REQUEST_ERROR_CODES } from '../../src/server/pipeline/request-error.js'
import { keysOf } from './config-keys.js'
import {
  anchors,
  codeBlocks,
  codeSpans,
  curlBodies,
  DOCUMENTS,
  ROOT,
  readText,
  section,
  tableRows,
  withoutCodeBlocks,
} from './markdown.js'

const readme = readText('README.md')
const firstCells = (heading: string) => tableRows(section(readme, heading)).flatMap(([cell]) => codeSpans(cell!))

describe('what the documents point at', () => {
  const links = DOCUMENTS.flatMap((document) =>
    [...withoutCodeBlocks(readText(document)).matchAll(/\]\(([^)\s]+)\)|<(https?:[^>]+)>/g)].map(
      ([, target, address]) => [document, target ?? address!] as const,
    ),
  )

  it('are links enough', () => {
    expect(links.length).toBeGreaterThan(10)
  })

  it.each(links.filter(([, target]) => !/^https?:/.test(target)))(
    '%s: the link %s leads somewhere',
    (document, target) => {
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? document : normalize(join(dirname(document), path))
      expect(existsSync(join(ROOT, file)), file).toBe(true)
      expect(file.startsWith('..'), 'stays within the repository').toBe(false)
      if (anchor !== undefined) expect(anchors(readText(file))).toContain(anchor)
    },
  )

  const paths = DOCUMENTS.flatMap((document) => {
    const text = withoutCodeBlocks(readText(document)).replace(/\]\([^)]*\)/g, ']')
    const found =
      text.match(/(?<![\w./-])(?:src|test|scripts|schema|drizzle|web-playground|bin|\.ci)\/[\w./-]*\w/g) ?? []
    return [...new Set(found)].map((path) => [document, path] as const)
  })

  it.each(paths)('%s: %s is there', (_, path) => {
    expect(existsSync(join(ROOT, path))).toBe(true)
  })

  it.each(DOCUMENTS)('%s names npm scripts that there are', (document) => {
    const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> }
    const named = [...readText(document).matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)].map(
      ([, run, short]) => run ?? short!,
    )
    expect(named.filter((name) => !(name in scripts))).toEqual([])
  })
})

describe("the README's tables", () => {
  it('lists every environment variable that the gateway reads, and no other', () => {
    const read = new Set<string>()
    loadConfig(new Proxy({}, { get: (_, name) => void read.add(String(name)) }), ROOT)
    // For benchmarks and tests only: CONTRIBUTING.md documents it.
    expect(read.delete('CADASTRE_WITHOUT')).toBe(true)
    expect(readText('CONTRIBUTING.md')).toContain('CADASTRE_WITHOUT')
    const documented = firstCells('Configuration').filter((name) => /^[A-Z_]+$/.test(name))
    expect(documented.sort()).toEqual([...read].sort())
  })

  it('lists every key of cadastre.yaml, and no other', () => {
    const documented = firstCells('Configuration').filter((key) => /^[a-z]/.test(key))
    expect(documented.sort()).toEqual(keysOf(configFileSchema).sort())
  })

  it('has every key that sources of each provider may have, and no other', async () => {
    const { filesystemProvider } = await import('../../src/sources/filesystem/filesystem-provider.js')
    const { httpProvider } = await import('../../src/sources/http/http-provider.js')
    const rows = tableRows(section(readme, 'Sources'))
    for (const { name, configSchema } of [filesystemProvider, httpProvider]) {
      const documented = rows
        .filter(([, of]) => ['both', 'all', `\`${name}\``].includes(of!))
        .map(([key]) => codeSpans(key!)[0]!)
      expect(documented.sort(), name).toEqual(Object.keys((configSchema as unknown as { shape: object }).shape).sort())
    }
  })

  it('says how many patterns there are, and what the limits are', async () => {
    const { DEFAULT_DEPENDENCY_PATTERNS } = await import('../../src/core/dependency/default-dependency-patterns.js')
    const { REGISTRY_LIMITS } = await import('../../src/registry/create-registry.js')
    const cells = new Map(
      tableRows(section(readme, 'Configuration')).map(([key, given]) => [codeSpans(key!)[0]!, given!]),
    )
    expect(cells.get('dependencies[].path')).toContain(`${DEFAULT_DEPENDENCY_PATTERNS.length} patterns`)
    const bytes = (text: string | undefined) => Number(/^(\d+) MiB$/.exec(text ?? '')?.[1]) * 1024 * 1024
    expect(bytes(cells.get('limits.entryBytes'))).toBe(REGISTRY_LIMITS.entryBytes)
    expect(bytes(cells.get('limits.changesetBytes'))).toBe(REGISTRY_LIMITS.changesetBytes)
    expect(Number(cells.get('limits.changesetOperations')?.replace(',', ''))).toBe(REGISTRY_LIMITS.changesetOperations)
  })

  it('has every error code that a caller may see, and no other', () => {
    const expected = new Set([...PROBLEM_CODES, ...ERROR_CODES, ...REQUEST_ERROR_CODES, 'INTERNAL_SERVER_ERROR'])
    expect([...new Set(firstCells('Error codes'))].sort()).toEqual([...expected].sort())
  })

  it('has every command, with options that it takes', async () => {
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
        showsProgress: false,
        interrupt: () => new AbortController().signal,
      }
      expect(await runCli([...argv, '--help'], { terminal, version: '0.0.0' })).toBe(0)
      return text
    }
    const rows = tableRows(section(readme, 'The command line'))
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

describe('the GraphQL in the README', () => {
  const schema = buildSchema(readText('schema/schema.graphql'))
  const inPrograms = codeBlocks(readme, 'js').flatMap(({ text }) =>
    [...text.matchAll(/query = `([^`]*)`/g)].map(([, query]) => ({ query: query! })),
  )
  const snippets: { query: string; variables?: Record<string, unknown> }[] = [
    ...codeBlocks(readme, 'graphql').map(({ text }) => ({ query: text })),
    ...inPrograms,
    ...curlBodies(readme),
  ]

  it('is there', () => {
    expect(snippets.length).toBeGreaterThan(4)
  })

  it.each(snippets.map((snippet) => [snippet.query.slice(0, 60), snippet] as const))(
    '%s fits the schema',
    (_, { query, variables = {} }) => {
      const document: DocumentNode = parse(query)
      expect(validate(schema, document).map(({ message }) => message)).toEqual([])
      for (const definition of document.definitions) {
        if (definition.kind !== Kind.OPERATION_DEFINITION) continue
        const { errors = [] } = getVariableValues(schema, definition.variableDefinitions ?? [], variables)
        expect(errors.map(({ message }) => message)).toEqual([])
      }
    },
  )
})
