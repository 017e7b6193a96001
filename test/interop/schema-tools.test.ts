import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSchema, introspectionFromSchema } from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { INSTALL_MS, INTEROP, installInterop, interop } from './packages.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const SDL = readFileSync(join(ROOT, 'schema/schema.graphql'), 'utf8')

/** The type that a typed client gives to an id, and another one, which the compiler must refuse. */
const RIGHT = 'const id: string = data.entry!.entryId'
const WRONG = 'const id: number = data.entry!.entryId'

describe('tools that read the schema', () => {
  // Below node_modules, so that packages are found from there.
  const folder = join(INTEROP, 'node_modules/.typed-clients')

  beforeAll(async () => {
    await installInterop()
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
  }, INSTALL_MS)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  /** The faults that the TypeScript compiler finds in a file of the folder. */
  function faultsOf(file: string, text: string): string[] {
    writeFileSync(join(folder, file), text)
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    const options = [
      '--noEmit',
      '--ignoreConfig',
      '--strict',
      '--skipLibCheck',
      '--target',
      'es2022',
      '--module',
      'esnext',
    ]
    try {
      execFileSync(process.execPath, [tsc, ...options, '--moduleResolution', 'bundler', '--types', '', file], {
        cwd: folder,
        encoding: 'utf8',
      })
      return []
    } catch (error) {
      return (error as { stdout: string }).stdout.trim().split('\n')
    }
  }

  it('types documents by graphql-codegen with its client preset', async () => {
    const { codegen } = interop('@graphql-codegen/core')
    const { preset } = interop('@graphql-codegen/client-preset')
    const { parse, buildSchema: build } = interop('graphql')
    const document = parse('query One($id: EntryID!) { entry(id: $id) { entryId data revision } }')
    const files = await preset.buildGeneratesSection({
      baseOutputDir: './',
      schema: parse(SDL),
      schemaAst: build(SDL),
      documents: [
        {
          location: 'one.graphql',
          document,
          rawSDL: 'query One($id: EntryID!) { entry(id: $id) { entryId data revision } }',
        },
      ],
      config: { scalars: { EntryID: 'string', SafeInt: 'number', DateTime: 'string' }, useTypeImports: true },
      presetConfig: { fragmentMasking: false },
      pluginMap: {},
      plugins: [],
      pluginContext: {},
    })
    for (const file of files) writeFileSync(join(folder, file.filename), await codegen(file))
    const using = (line: string) => `import type { OneQuery } from './graphql'
      export function use(data: OneQuery) { ${line}; return id }`
    expect(faultsOf('codegen-right.ts', using(RIGHT))).toEqual([])
    expect(faultsOf('codegen-wrong.ts', using(WRONG))).toEqual([expect.stringContaining('TS2322')])
  })

  it('types documents by gql.tada', () => {
    const introspection = JSON.stringify(introspectionFromSchema(buildSchema(SDL), { descriptions: false }))
    writeFileSync(join(folder, 'introspection.ts'), `export type introspection = ${introspection}\n`)
    const using = (line: string) => `import { initGraphQLTada, type ResultOf } from 'gql.tada'
      import type { introspection } from './introspection'
      const graphql = initGraphQLTada<{
        introspection: introspection
        scalars: { EntryID: string; SafeInt: number; DateTime: string; JSON: unknown; JSONObject: object }
      }>()
      const one = graphql('query One($id: EntryID!) { entry(id: $id) { entryId data revision } }')
      export function use(data: ResultOf<typeof one>) { ${line}; return id }`
    expect(faultsOf('tada-right.ts', using(RIGHT))).toEqual([])
    expect(faultsOf('tada-wrong.ts', using(WRONG))).toEqual([expect.stringContaining('TS2322')])
  })

  it('compares schemas by graphql-inspector', async () => {
    const { diff } = interop('@graphql-inspector/core')
    const { buildSchema: build } = interop('graphql')
    const schema = build(SDL)
    expect(await diff(schema, build(SDL))).toEqual([])
    const broken = build(SDL.replace('  currentVersion: Version!', '  headVersion: Version!'))
    const changes = await diff(schema, broken)
    expect(changes.map(({ type, path, criticality }: any) => [type, path, criticality.level])).toEqual([
      ['FIELD_REMOVED', 'Query.currentVersion', 'BREAKING'],
      ['FIELD_ADDED', 'Query.headVersion', 'NON_BREAKING'],
      ['FIELD_DESCRIPTION_ADDED', 'Query.headVersion', 'NON_BREAKING'],
    ])
  })
})
