import { type GraphQLObjectType, isNonNullType } from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { schema } from '../../src/graphql/schema.js'
import { openStream } from './following-stream.js'
import { BACKENDS_WITH_HISTORY, create, startTestGateway, type TestGateway } from './gateway-fixture.js'

/** Each lookup of the schema, with arguments for which there is nothing. */
const LOOKUPS: Readonly<Record<string, readonly string[]>> = {
  'Query.entry': ['id: "no:such"', 'id: {ns: "no", name: "such"}', 'id: "a:gone"'],
  'Query.node': [
    'no:such',
    'r9/a:x',
    'v99',
    't99',
    's99',
    'tag/none',
    'source/none',
    'provider/store/nope',
    '00000000-0000-4000-8000-000000000000',
    '',
    'what',
  ].map((id) => `id: ${JSON.stringify(id)}`),
  'Query.version': ['number: 99', 'number: -1', 'number: 9007199254740991'],
  'Query.tag': ['name: "none"', 'name: ""', 'name: "not a tag"', 'name: "\\u0000"'],
  'Query.source': ['name: "nope"', 'name: ""', 'name: "\\u0000"', 'name: "constructor"', 'name: "__proto__"'],
  'Query.provider': [
    'role: "store", name: "nope"',
    'role: "nope", name: "postgres"',
    'role: "", name: ""',
    'role: "constructor", name: "name"',
    'role: "source", name: "constructor"',
  ],
  'Query.dependencyGraph': ['root: "no:such"', 'root: "a:gone"'],
  'Snapshot.entry': ['id: "no:such"', 'id: {ns: "no", name: "such"}', 'id: "a:gone"'],
  'Snapshot.dependencyGraph': ['root: "no:such"'],
  'Subscription.entry': ['id: "no:such"', 'id: "a:gone"'],
}

/** Documents that do something with what does not exist, and the code of their error. */
const USES: readonly (readonly [string, string])[] = [
  ['mutation { reloadSource(name: "nope") { source { name } } }', 'SOURCE_NOT_FOUND'],
  ['mutation { deleteTag(name: "none") { name } }', 'TAG_NOT_FOUND'],
  ['{ snapshot(at: {tag: "none"}) { revision } }', 'TAG_NOT_FOUND'],
  ['{ snapshot(at: {version: 99}) { revision } }', 'VERSION_NOT_FOUND'],
  ['{ snapshot(at: {revision: 99}) { revision } }', 'REVISION_NOT_FOUND'],
  ['{ delta(from: {tag: "none"}, to: {version: 0}) { created } }', 'TAG_NOT_FOUND'],
  ['{ dependencyGraph(root: "a:x", at: {version: 99}) { truncated } }', 'VERSION_NOT_FOUND'],
  ['{ path(from: 0, to: 99) { direction } }', 'VERSION_NOT_FOUND'],
  ['mutation { renewInstance(id: "nope") { id } }', 'INSTANCE_EXPIRED'],
  ['mutation { acquireInstance(input: {entry: "no:such", name: "n", ttlSeconds: 9}) { id } }', 'ENTRY_NOT_FOUND'],
]

describe('the table of lookups', () => {
  it('has a row for every field of the schema that finds something by an argument', () => {
    const found: string[] = []
    for (const name of ['Query', 'Subscription', 'Snapshot'])
      for (const field of Object.values((schema.getType(name) as GraphQLObjectType).getFields()))
        if (!isNonNullType(field.type) && field.args.some(({ type }) => isNonNullType(type)))
          found.push(`${name}.${field.name}`)
    expect(found.sort()).toEqual(Object.keys(LOOKUPS).sort())
  })
})

describe.each([...BACKENDS_WITH_HISTORY, 'none'] as const)('lookups, over %s', (backend) => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await startTestGateway(backend)
    await gateway.apply(create('a:x'), create('a:gone'))
    await gateway.apply({ delete: { id: 'a:gone' } })
  })
  afterAll(() => gateway.close())

  const cases = Object.entries(LOOKUPS).flatMap(([field, rows]) => rows.map((args) => [field, args] as const))

  it.each(cases)('are null without an error for what does not exist: %s(%s)', async (coordinate, args) => {
    const [type, field] = coordinate.split('.') as [string, string]
    const lookup = `${field}(${args}) { __typename }`
    if (type === 'Subscription') {
      const stream = openStream('ws', gateway.endpoint, `subscription { ${lookup} }`)
      expect(await stream.next()).toEqual({ data: { entry: null } })
      stream.cut()
      return
    }
    const { status, data, errors } = await gateway.query(
      type === 'Snapshot' ? `{ snapshot { ${lookup} } }` : `{ ${lookup} }`,
    )
    expect({ status, errors }).toEqual({ status: 200, errors: [] })
    expect(type === 'Snapshot' ? data.snapshot : data).toEqual({ [field]: null })
  })

  it('leave what stands beside them as it is', async () => {
    const { data, errors } = await gateway.query(
      '{ s: source(name: "nope") { name } t: tag(name: "none") { name } v: version(number: 99) { number } e: entry(id: "a:x") { id } nodes(ids: ["no:such", "a:x"]) { id } namespaceHead: snapshot { namespace(name: "none") { nodes { id } } } }',
    )
    expect(errors).toEqual([])
    expect(data).toEqual({
      s: null,
      t: null,
      v: null,
      e: { id: 'a:x' },
      nodes: [null, { id: 'a:x' }],
      namespaceHead: { namespace: { nodes: [] } },
    })
  })

  it.each(USES)('are errors only where something is done with what does not exist: %s', async (document, code) => {
    expect(await gateway.code(document)).toBe(code)
  })
})
