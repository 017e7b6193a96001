import * as fc from 'fast-check'
import {
  buildSchema,
  type ExecutionResult,
  execute,
  GraphQLInterfaceType,
  GraphQLObjectType,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  parse,
  validate,
} from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createContext, type RequestContext } from '../../../src/graphql/base/request-context.js'
import { compileOperation } from '../../../src/graphql/compiled/compile-operation.js'
import { compileVariables } from '../../../src/graphql/compiled/compile-variables.js'
import { wholeText } from '../../../src/graphql/results/long-text.js'
import { resultText } from '../../../src/graphql/results/result-text.js'
import { schema } from '../../../src/graphql/schema.js'
import { create, type Gateway, openGateway, remove, update } from '../schema-fixture.js'

interface Outcome {
  readonly data: string | undefined
  readonly errors: readonly string[]
}

/** Executes an operation with graphql-js and compiled, and returns both outcomes. */
async function both(
  of: GraphQLSchema,
  text: string,
  variables: Record<string, unknown>,
  contextOf: () => RequestContext,
): Promise<[Outcome, Outcome]> {
  const document = parse(text)
  expect(validate(of, document)).toEqual([])
  const operation = getOperationAST(document)!
  const write = compileOperation(of, document, operation)
  if (write === null) throw new Error('The operation is not compiled')
  const plain = (await execute({
    schema: of,
    document,
    variableValues: variables,
    contextValue: contextOf(),
  })) as ExecutionResult
  const written = await write(variables, contextOf())
  if (written === null || written === 'too large') throw new Error('The operation is not executed for these variables')
  const sorted = (errors: readonly { toJSON(): unknown }[]) => errors.map((error) => JSON.stringify(error)).sort()
  return [
    { data: plain.data === undefined ? undefined : resultText(plain.data), errors: sorted(plain.errors ?? []) },
    { data: written.data === null ? undefined : wholeText(written.data), errors: sorted(written.errors) },
  ]
}

describe('a compiled query over the registry', () => {
  let gateway: Gateway
  beforeAll(async () => {
    gateway = openGateway()
    await gateway.apply(
      create(
        'a:1',
        { b: 1, a: 'ü "quoted"   \\', groups: ['g'], deep: { list: [1, { x: -0 }] } },
        { zero: -0, n: 1e300, t: '\u007f' },
      ),
      create('a:2', { depends_on: ['a:1', 'a:none'] }, [1, -0, null, 'x']),
      create('a:3', {}, null),
      create('b:4', { n: 0.1 }, 'text'),
      create('b:5', {}, -0),
    )
    await gateway.apply(
      create('p:1', JSON.parse('{"__proto__": {"x": 1}, "constructor": 2}'), {
        big: ['y'.repeat(900_000), -0],
        list: Array.from({ length: 2_000 }, (_, i) => i / 8),
      }),
    )
    await gateway.apply(update('a:1', { changed: true }, { zero: 0 }), remove('b:4'))
  })
  afterAll(() => gateway.close())
  const contextOf = () =>
    createContext({ registry: gateway.registry, author: null, signal: new AbortController().signal })

  it('batches its reads like graphql-js', async () => {
    gateway.calls.clear()
    const ids = ['a:1', 'a:2', 'a:3']
    await both(
      schema,
      `{ ${ids.map((id, i) => `e${i}: entry(id: "${id}") { version { number } }`).join(' ')} }`,
      {},
      contextOf,
    )
    expect(Object.fromEntries(gateway.calls)).toEqual({ entries: 2, versions: 2 })
  })

  it.each<[string, Record<string, unknown>?]>([
    ['{ entry(id: "a:1") { id entryId ns name kind meta data digest revision } }'],
    [
      '{ a: entry(id: "a:2") { data: data(path: "1") meta } b: entry(id: "b:5") { data } c: entry(id: "a:none") { id } n: entry(id: "a:3") { data meta } }',
    ],
    ['query ($id: EntryID!) { entry(id: $id) { id meta(path: "a") } }', { id: { ns: 'a', name: '1' } }],
    ['query ($id: EntryID!) { entry(id: $id) { id } }', { id: 'no colon' }],
    ['query ($id: EntryID!) { entry(id: $id) { id } }', {}],
    [
      'query ($id: EntryID!, $n: Int) { entry(id: $id) { id history(first: $n) { totalCount nodes { revision data version { number author } } } } }',
      { id: 5, n: 'x' },
    ],
    [
      'query ($n: Int = 2) { entries(first: $n) { revision totalCount pageInfo { hasNextPage endCursor startCursor } edges { cursor node { id data } } } }',
    ],
    ['{ entries(first: -1) { nodes { id } } ok: entries(first: 1) { nodes { id } } }'],
    [
      '{ nodes(ids: ["a:1", "r1/a:1", "v1", "nothing", "r9/a:1"]) { __typename id ... on Entry { meta dependents { source } } ... on EntryRevision { data revision } ... on Version { number createdAt } } }',
    ],
    [
      'query ($yes: Boolean!, $no: Boolean!) { entry(id: "a:1") { id @skip(if: $yes) kind @include(if: $no) ...F @include(if: $yes) } } fragment F on EntryState { revision ns @skip(if: $no) ... on Entry { history(first: 1) { nodes { id entry { id } } } } }',
      { yes: true, no: false },
    ],
    [
      'query ($yes: Boolean = false) { entry(id: "a:1") { ... @skip(if: true) { id } ... on Entry @include(if: $yes) { kind } kind } }',
    ],
    [
      '{ entry(id: "a:1") { history(first: 1) { nodes { id } } ...H } } fragment H on Entry { history(first: 1) { nodes { data revision } totalCount } }',
    ],
    [
      '{ entry(id: "a:2") { dependencies { path reference target { id } } } snapshot(at: {revision: 1}) { revision version { number } entry(id: "b:4") { data } entries(find: null, orderBy: ID_DESC) { nodes { id meta } } namespaces { name entryCount } } }',
    ],
    [
      '{ snapshot(at: {revision: 99}) { entry(id: "a:1") { id } } version(number: 77) { number } currentVersion { number changeset { operations { nodes { kind entryId entry { entry { data } } } } } } }',
    ],
    [
      '{ path(from: 0, to: 2) { direction version { number } } parseId(id: "x") { ns } versions { nodes { number parent: previous { number } } } }',
    ],
    [
      '{ transitions { nodes { kind createdAt from { number } to { number } changes { nodes { kind entry { data } previous { data } } } } } }',
    ],
    ['{ __typename entry(id: "a:1") { __typename } }'],
    ['{ __proto__: entry(id: "a:3") { __proto__: id constructor: meta } }'],
    ['{ entry(id: "p:1") { meta data keys: data(path: "__proto__") number: data(path: "big.0") } }'],
    [
      'query ($order: EntryOrder = ID_DESC, $ids: [ID!]! = ["a:1"], $first: Int) { entries(orderBy: $order, first: $first) { nodes { id } } nodes(ids: $ids) { id } }',
      { order: 'SIDEWAYS' },
    ],
    [
      'query ($order: EntryOrder = ID_DESC, $ids: [ID!]! = ["a:1"], $first: Int) { entries(orderBy: $order, first: $first) { nodes { id } } nodes(ids: $ids) { id } }',
      { ids: 'a:2', first: null },
    ],
    [
      '{ snapshot(at: {revision: 99}) { entries { nodes { id } } } entry(id: "a:1") { history(first: -1) { nodes { id } } history2: history(first: 1, after: "no cursor") { nodes { id } } } }',
    ],
    ['query ($id: EntryID!) { entry(id: $id) { id } }', { id: 'a:\ud800' }],
    [
      'query ($find: JSONObject) { entries(find: $find) { nodes { id data } } }',
      { find: JSON.parse('{"__proto__": {"$eq": 1}, "meta.a": null}') },
    ],
  ])('answers as graphql-js does: %s', async (text, variables = {}) => {
    const [plain, written] = await both(schema, text, variables, contextOf)
    expect(written).toEqual(plain)
  })

  it.each([
    ['{ __schema { queryType { name } } }'],
    ['{ ...F } fragment F on Query { __type(name: "Entry") { name } }'],
    [
      'query ($a: Boolean!, $b: Boolean!, $c: Boolean!, $d: Boolean!) { a: __typename @skip(if: $a) b: __typename @skip(if: $b) c: __typename @skip(if: $c) d: __typename @skip(if: $d) }',
    ],
  ])('is not made of %s', (text) => {
    const document = parse(text)
    expect(compileOperation(schema, document, getOperationAST(document)!)).toBeNull()
  })

  it('is refused for a query that fragments make too large', () => {
    const levels = Array.from(
      { length: 9 },
      (_, i) =>
        `fragment F${i} on Entry { a: history { nodes { entry { ...F${i + 1} } } } b: history { nodes { entry { ...F${i + 1} } } } }`,
    )
    const document = parse(`{ entry(id: "a:1") { ...F0 } } ${levels.join(' ')} fragment F9 on Entry { id }`)
    expect(compileOperation(schema, document, getOperationAST(document)!)!({}, contextOf())).toBe('too large')
  })
})

describe('a compiled mutation', () => {
  const APPLY =
    'mutation ($input: ApplyChangesetInput!) { applyChangeset(input: $input) { __typename ... on Applied { dryRun replayed version { number message author } transition { revision } changes { kind entry { id data meta } } delta { operations { kind entryId } } warnings { message } } ... on Refused { message problems { code message operation entryId } } } }'
  const created = (id: unknown, more = {}) => ({ create: { id, kind: 'k', ...more } })

  it.each<[string, Record<string, unknown>?]>([
    [
      APPLY,
      {
        input: {
          operations: [created('a:1', { meta: { x: -0 }, data: [null, 1e300] }), created({ ns: 'a', name: '2' })],
          message: 'ü',
          dryRun: null,
        },
      },
    ],
    [APPLY, { input: { operations: [created('a:1')], dryRun: true, base: 0, expectedHead: 0, idempotencyKey: 'k' } }],
    [
      APPLY,
      {
        input: {
          operations: [
            created('nothing'),
            { update: { id: 'a:9', kind: 'k' } },
            { delete: { id: 'a:8', ifRevision: -0 } },
          ],
        },
      },
    ],
    [APPLY, { input: { operations: [{ create: { id: 'a:1', kind: 'k' }, delete: { id: 'a:1' } }] } }],
    [APPLY, { input: { operations: [{ create: null }, {}, { update: { id: 'a:1' } }, { other: 1 }] } }],
    [APPLY, { input: { operations: created('a:1') } }],
    [APPLY, { input: { operations: null } }],
    [APPLY, { input: null }],
    [APPLY, {}],
    [APPLY, { input: [] }],
    [APPLY, { input: { operations: [created('a:1', { meta: [], data: undefined, kind: 7 })], unknown: 1, base: 1.5 } }],
    [
      'mutation ($id: EntryID!) { applyChangeset(input: {operations: [{create: {id: $id, kind: "k"}}]}) { ... on Applied { version { number } } } }',
      { id: 'a:1' },
    ],
    [
      'mutation { one: applyChangeset(input: {operations: [{create: {id: "a:1", kind: "k"}}]}) { ... on Applied { version { number } } } two: applyChangeset(input: {operations: [{update: {id: "a:1", kind: "k", data: 2}}]}) { ... on Applied { version { number } changes { previous { data } } } } __typename }',
    ],
    [
      'mutation { one: applyVersion(input: {version: 7}) { ... on Refused { problems { code } } } two: setTag(input: {name: "t", version: 0}) { name version { number } } three: deleteTag(name: "none") { name } }',
    ],
    [
      'mutation { one: applyChangeset(input: {operations: [{create: {id: "a:1", kind: "k"}}]}) { ... on Applied { version { number } } } two: setTag(input: {name: "", version: 0}) { name } three: setTag(input: {name: "never", version: 0}) { name } }',
    ],
  ])('does and answers as graphql-js does: %s', async (text, variables = {}) => {
    const gateways = [openGateway(), openGateway()]
    const contexts = gateways.map(({ registry }) =>
      createContext({ registry, author: 'somebody', signal: new AbortController().signal }),
    )
    const left = async ({ registry }: Gateway) => [
      (await registry.head()).revision,
      [...(await registry.history.tags(['t', 'never'])).keys()],
    ]
    try {
      const [plain, written] = await both(schema, text, variables, () => contexts.pop()!)
      expect(written).toEqual(plain)
      expect(await left(gateways[0]!)).toEqual(await left(gateways[1]!))
    } finally {
      await Promise.all(gateways.map((gateway) => gateway.close()))
    }
  })

  it('reads variables of all shapes as graphql-js does', () => {
    const operation = getOperationAST(parse(APPLY))!
    const read = compileVariables(schema, operation)
    const id = fc.oneof(fc.constant('a:1'), fc.constant({ ns: 'a', name: '1' }), fc.jsonValue())
    const some = <Value>(value: fc.Arbitrary<Value>) =>
      fc.oneof(
        { weight: 6, arbitrary: value as fc.Arbitrary<unknown> },
        { weight: 1, arbitrary: fc.constantFrom<unknown>(null, undefined, 1, 'x', [], {}) },
      )
    const content = fc.record(
      {
        id: some(id),
        kind: some(fc.constant('k')),
        meta: some(fc.dictionary(fc.string(), fc.jsonValue())),
        data: fc.jsonValue(),
        ifRevision: some(fc.integer()),
        extra: fc.boolean(),
      },
      { requiredKeys: ['id', 'kind'] },
    )
    const operationInput = fc.record(
      { create: some(content), update: some(content), delete: some(fc.record({ id, force: some(fc.boolean()) })) },
      { requiredKeys: [] },
    )
    const input = fc.record(
      {
        operations: some(fc.array(some(operationInput), { maxLength: 3 })),
        base: some(fc.integer()),
        message: some(fc.string()),
        dryRun: some(fc.boolean()),
      },
      { requiredKeys: ['operations'] },
    )
    let right = 0
    fc.assert(
      fc.property(some(input), (value) => {
        const { coerced, errors } = getVariableValues(
          schema,
          operation.variableDefinitions!,
          { input: value },
          { maxErrors: 50 },
        )
        const found = read({ input: value })
        if (found.errors === undefined) right += 1
        expect(JSON.stringify(found)).toBe(JSON.stringify(errors === undefined ? { values: coerced } : { errors }))
      }),
      { numRuns: 2_000 },
    )
    expect(right).toBeGreaterThan(50)
  })

  it('reads variables that are null, left out or have a default as graphql-js does', () => {
    const operation = getOperationAST(
      parse(
        'query ($a: String, $b: Int = 3, $c: [Int!], $d: EntryFilter, $e: Int!, $f: EntryOrder = ID_ASC, $toString: Boolean) { __typename }',
      ),
    )!
    const read = compileVariables(schema, operation)
    const some = fc.constantFrom<unknown>(
      null,
      undefined,
      1,
      'x',
      'ID_DESC',
      true,
      [],
      [1, 2],
      [null],
      {},
      { ns: { eq: 'a' } },
      { ns: null },
    )
    fc.assert(
      fc.property(
        fc.record({ a: some, b: some, c: some, d: some, e: some, f: some, toString: some }, { requiredKeys: [] }),
        (given) => {
          const inputs = JSON.parse(JSON.stringify(given)) as Record<string, unknown>
          const { coerced, errors } = getVariableValues(schema, operation.variableDefinitions!, inputs, {
            maxErrors: 50,
          })
          expect(JSON.stringify(read(inputs))).toBe(
            JSON.stringify(errors === undefined ? { values: coerced } : { errors }),
          )
        },
      ),
      { numRuns: 2_000 },
    )
  })
})

describe('a compiled query over fields that fail, wait and are null', () => {
  const SDL = `
    interface Thing { self: Thing must: Thing! name: String }
    type Query implements Thing { self: Thing must: Thing! name: String list: [Thing] hard: [Thing!]! deep: [[Int!]] number: Int! }
    type Other implements Thing { self: Thing must: Thing! name: String list: [Thing!] flag: Boolean! }`
  type Behave = 'value' | 'null' | 'throw' | 'error' | 'wait' | 'late' | 'lateNull'

  /** The seed decides how each field behaves, by its name and depth. */
  function schemaOf(behaviours: readonly Behave[]): GraphQLSchema {
    const built = buildSchema(SDL)
    const behave = (name: string, depth: number): Behave =>
      behaviours[(name.length * 7 + name.charCodeAt(0) + depth * 3) % behaviours.length]!
    const VALUES: Record<string, (depth: number) => unknown> = {
      name: () => 'x',
      number: () => 7,
      flag: () => true,
      self: (depth) => thing(depth + 1),
      must: (depth) => thing(depth + 1),
      list: (depth) => [thing(depth + 1), null, Promise.resolve(thing(depth + 2)), new Error('in a list')],
      hard: (depth) => [thing(depth + 1), thing(depth + 2)],
      deep: () => [[1, 2], null, [3, null]],
    }
    const thing = (depth: number) => ({ depth, kind: depth % 2 === 0 ? 'Query' : 'Other' })
    for (const type of Object.values(built.getTypeMap())) {
      if (type instanceof GraphQLInterfaceType) type.resolveType = ({ kind }: { kind: string }) => kind
      if (!(type instanceof GraphQLObjectType) || type.name.startsWith('__')) continue
      for (const field of Object.values(type.getFields())) {
        field.resolve = (source: { depth: number } | undefined) => {
          const depth = source?.depth ?? 0
          // Non-null items are all asynchronous: graphql-js forgets pending items if another one throws synchronously.
          const value = () => {
            const plain = VALUES[field.name]!(depth)
            return Array.isArray(plain) && String(field.type).includes('Thing!')
              ? plain.map((item) => Promise.resolve(item))
              : plain
          }
          const DO: Record<Behave, () => unknown> = {
            value,
            null: () => null,
            throw: () => {
              throw new Error(`${field.name} failed`)
            },
            error: () => new Error(`${field.name} is one`),
            wait: () => Promise.resolve(value()),
            late: () => Promise.reject(new Error(`${field.name} failed late`)),
            lateNull: () => Promise.resolve(null),
          }
          return DO[behave(field.name, depth)]()
        }
      }
    }
    return built
  }
  const behaviour = fc.constantFrom<Behave>(
    'value',
    'value',
    'value',
    'wait',
    'wait',
    'null',
    'throw',
    'error',
    'late',
    'lateNull',
  )
  const leafs = fc.constantFrom('name', 'n: name', '__typename')
  const nested = fc.letrec<{ set: string; field: string }>((tie) => ({
    set: fc
      .array(tie('field'), { minLength: 1, maxLength: 3 })
      .map((fields) => `{ ${[...new Set(fields)].join(' ')} }`),
    field: fc.oneof(
      { maxDepth: 3 },
      leafs,
      fc.tuple(fc.constantFrom('self', 'must'), tie('set')).map(([name, set]) => `${name} ${set}`),
      fc.tuple(fc.constantFrom('Query', 'Other'), tie('set')).map(([type, set]) => `... on ${type} ${set}`),
      fc.constantFrom('... on Query { number deep }', '... on Other { flag }'),
      fc
        .tuple(fc.constantFrom('... on Query { list', '... on Query { hard', '... on Other { l: list'), tie('set'))
        .map(([lead, set]) => `${lead} ${set} }`),
    ),
  })).set

  /** The errors. Below a nulled part only its path is compared, since any of several errors may be reported for it. */
  function fallen({ data, errors }: Outcome): string[] {
    const places = errors.map((text) => {
      const { path } = JSON.parse(text) as { path: (string | number)[] }
      const place: (string | number)[] = []
      for (let at: any = JSON.parse(data!); at !== null && place.length < path.length; at = at[place.at(-1)!])
        place.push(path[place.length]!)
      return place.length === path.length ? text : JSON.stringify(place)
    })
    return [...new Set(places)].sort()
  }

  it('has the same data, and errors at the same paths', async () => {
    const context = {} as RequestContext
    await fc.assert(
      fc.asyncProperty(fc.array(behaviour, { minLength: 5, maxLength: 23 }), nested, async (behaviours, query) => {
        const made = schemaOf(behaviours)
        fc.pre(validate(made, parse(query)).length === 0)
        const [plain, written] = await both(made, query, {}, () => context)
        expect(written.data).toEqual(plain.data)
        expect(fallen(written)).toEqual(fallen(plain))
      }),
      { numRuns: 600 },
    )
  })
})
