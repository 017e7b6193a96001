import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { InvalidSchema, loadSchemas } from '../../../src/sources/forms/entry-schemas.js'

let folder: string
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'cadastre-schemas-'))))
afterAll(() => rm(folder, { recursive: true, force: true }))

let files = 0
async function schema(value: unknown): Promise<string> {
  const path = join(folder, `${files++}.json`)
  await writeFile(path, typeof value === 'string' ? value : JSON.stringify(value))
  return path
}
const entry = (kind: string, data: unknown = null, meta: unknown = {}) => ({ id: 'a:b', kind, meta, data }) as never
const needs = (name: string) => ({ properties: { data: { type: 'object', required: [name] } } })

describe('schemas', () => {
  it('apply if their pattern matches the kind, and only then', async () => {
    const schemas = await loadSchemas({
      'service.*': await schema(needs('port')),
      '**': await schema(needs('owner')),
      'function.lua': await schema(false),
    })
    expect(schemas.faultsOf(entry('service.http', {})).map(({ message }) => message)).toEqual([
      "/data must have required property 'port'",
      "/data must have required property 'owner'",
    ])
    expect(schemas.faultsOf(entry('other', {}))).toHaveLength(1)
    expect(schemas.faultsOf(entry('service.http', { port: 1, owner: 'x' }))).toEqual([])
    expect(schemas.faultsOf(entry('function.lua', { owner: 'x' }))).toHaveLength(1)
  })

  it('validate the whole entry: id, kind, meta and data', async () => {
    const schemas = await loadSchemas({
      '**': await schema({
        properties: {
          id: { pattern: '^b:' },
          kind: { enum: ['k'] },
          meta: { properties: { mail: { format: 'email' } } },
          data: { items: { type: 'integer' } },
        },
        additionalProperties: false,
      }),
    })
    expect(schemas.faultsOf(entry('x', [1, 'two', 3.5], { mail: 'nobody' })).map(({ pointer }) => pointer)).toEqual([
      '/id',
      '/kind',
      '/meta/mail',
      '/data/1',
      '/data/2',
    ])
  })

  it('escape slashes and tildes in pointers by RFC 6901', async () => {
    const schemas = await loadSchemas({
      '**': await schema({ properties: { data: { additionalProperties: { type: 'string' } } } }),
    })
    expect(schemas.faultsOf(entry('k', { 'a/b~c': 1 }))).toEqual([
      { pointer: '/data/a~1b~0c', message: '/data/a~1b~0c must be string' },
    ])
  })

  it.each([
    ['http://json-schema.org/draft-07/schema#', { data: { items: [{ type: 'string' }] } }],
    ['https://json-schema.org/draft/2019-09/schema', { data: { items: [{ type: 'string' }] } }],
    ['https://json-schema.org/draft/2020-12/schema', { data: { prefixItems: [{ type: 'string' }] } }],
  ])('may be of %s', async ($schema, properties) => {
    const schemas = await loadSchemas({ '**': await schema({ $schema, properties }) })
    expect(schemas.faultsOf(entry('k', [1]))).toEqual([{ pointer: '/data/0', message: '/data/0 must be string' }])
  })

  it('ignore inherited properties of objects', async () => {
    const schemas = await loadSchemas({ '**': await schema(needs('constructor')) })
    expect(schemas.faultsOf(entry('k', {}))).toHaveLength(1)
    expect(schemas.faultsOf(entry('k', { constructor: 1 }))).toEqual([])
  })

  // Quadratic work would take minutes here, and fail by the test's time limit.
  it('compare the items of long lists', async () => {
    const schemas = await loadSchemas({ '**': await schema({ properties: { data: { uniqueItems: true } } }) })
    expect(
      schemas.faultsOf(
        entry(
          'k',
          Array.from({ length: 50_000 }, (_, n) => ({ n, a: { b: n } })),
        ),
      ),
    ).toEqual([])
    expect(
      schemas.faultsOf(
        entry('k', [
          { a: 1, b: 2 },
          { b: 2, a: 1 },
        ]),
      ),
    ).toEqual([{ pointer: '/data', message: '/data must NOT have duplicate items' }])
  })

  it('report at most ten faults', async () => {
    const schemas = await loadSchemas({ '**': await schema({ properties: { data: { items: { type: 'string' } } } }) })
    expect(schemas.faultsOf(entry('k', Array(1_000).fill(1)))).toHaveLength(10)
  })

  it('that refer to themselves terminate, however deep the entry is nested', async () => {
    const schemas = await loadSchemas({
      '**': await schema({
        definitions: { node: { additionalProperties: { $ref: '#/definitions/node' } } },
        properties: { data: { $ref: '#/definitions/node' } },
      }),
    })
    let deep: unknown = {}
    for (let i = 0; i < 100_000; i++) deep = { deep }
    expect(schemas.faultsOf(entry('k', deep))).toEqual([
      { pointer: '', message: 'is nested too deeply to be validated' },
    ])
  })

  it('are loaded again only if a file has changed', async () => {
    const path = await schema(needs('a'))
    const first = await loadSchemas({ k: path })
    expect(await loadSchemas({ k: path }, first)).toBe(first)
    await writeFile(path, JSON.stringify(needs('b')))
    const second = await loadSchemas({ k: path }, first)
    expect(second.fingerprint).not.toBe(first.fingerprint)
    expect(second.faultsOf(entry('k', { a: 1 }))).toHaveLength(1)
  })

  it.each([
    ['is not JSON', '{"type": }', /:1:10: expected a value/],
    ['is no schema', { type: 'strange' }, /schema is invalid/],
    ['refers to what is not there', { $ref: '#/definitions/none' }, /can't resolve reference/],
    [
      'is of an unknown draft',
      { $schema: 'http://json-schema.org/draft-03/schema#' },
      /Supported: draft-07, 2019-09, 2020-12/,
    ],
    ['is a list', [], /an object or a boolean/],
  ])('are refused with the name of the file: one that %s', async (_title, text, message) => {
    const path = await schema(text)
    const error: unknown = await loadSchemas({ k: path }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(InvalidSchema)
    expect((error as Error).message).toContain(path)
    expect((error as Error).message).toMatch(message)
  })

  it('are refused if the file is missing', async () => {
    await expect(loadSchemas({ k: join(folder, 'none.json') })).rejects.toThrow(/none\.json cannot be read/)
  })
})
