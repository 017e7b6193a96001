import fc from 'fast-check'
import { parse } from 'graphql'
import { describe, expect, it } from 'vitest'
import { schema } from '../../../src/graphql/schema.js'
import { operationWeight } from '../../../src/server/weighing/operation-weight.js'

function weigh(query: string, variables: Readonly<Record<string, unknown>> = {}) {
  const document = parse(query)
  const operation = document.definitions.find((definition) => definition.kind === 'OperationDefinition')!
  return operationWeight(schema, document, operation, variables)
}
const total = (query: string, variables?: Readonly<Record<string, unknown>>) => weigh(query, variables).total

const DELTA = 'delta(from: {version: 0}, to: {version: 1}) { created }'
/** Fields with what one occurrence adds for each of them. */
const COSTLY = ['delta', 'buildDelta', 'dependencyGraph', 'namespaces', 'path', 'entries'].map((name) => {
  const fields: Record<string, string> = {
    delta: DELTA,
    buildDelta: 'buildDelta(from: [], to: []) { created }',
    dependencyGraph: 'dependencyGraph(root: "a:b") { truncated }',
    namespaces: 'namespaces { name }',
    path: 'path(from: 0, to: 9) { direction }',
    entries: 'entries(find: {x: 1}) { nodes { id } }',
  }
  return fields[name]!
})

describe('the weight of an operation', () => {
  it('grows with each alias of a costly field, however it is written', () => {
    // Every alias of `delta` weighed 1, so 300 of them passed and took the gateway from everybody else.
    fc.assert(
      fc.property(fc.constantFrom(...COSTLY), fc.integer({ min: 1, max: 40 }), (field, times) => {
        const one = total(`{ ${field} }`)
        const aliases = Array.from({ length: times }, (_, i) => `a${i}: ${field}`).join(' ')
        const spreads = Array.from({ length: times }, (_, i) => `...f${i}`).join(' ')
        const fragments = Array.from({ length: times }, (_, i) => `fragment f${i} on Query { a${i}: ${field} }`).join(
          ' ',
        )
        expect(one).toBeGreaterThanOrEqual(1_000)
        expect(total(`{ ${aliases} }`)).toBe(times * one)
        expect(total(`{ ${spreads} } ${fragments}`)).toBe(times * one)
        expect(total(`{ ${`... on Query { ${aliases} }`} }`)).toBe(times * one)
      }),
    )
  })

  it('multiplies a costly field by the objects above it', () => {
    const graph = (first: number) =>
      total(`{ versions(first: ${first}) { nodes { snapshot { dependencyGraph(root: "a:b") { truncated } } } } }`)
    expect(graph(20) - graph(10)).toBeGreaterThanOrEqual(10 * 25_000)
  })

  it('counts a page by its variable, a default or the value in the document alike', () => {
    const written = total('{ entries(first: 700) { nodes { id } } }')
    expect(total('query ($n: Int) { entries(first: $n) { nodes { id } } }', { n: 700 })).toBe(written)
    expect(total('query ($n: Int = 700) { entries(first: $n) { nodes { id } } }')).toBe(written)
    expect(total('{ entries(last: 700) { nodes { id } } }')).toBe(written)
  })

  it('includes counting only where totalCount is selected', () => {
    const page = total('{ entries(first: 1) { nodes { id } } }')
    expect(total('{ entries(first: 1) { nodes { id } totalCount } }')).toBe(page + 2_500)
    expect(total('{ entries(first: 1) { nodes { id } ...c } } fragment c on EntryConnection { totalCount }')).toBe(
      page + 2_500,
    )
  })

  it('names the root field that weighs most', () => {
    expect(weigh(`{ currentVersion { number } big: ${DELTA} }`).heaviest).toEqual({
      field: 'big: delta',
      weight: 25_001,
    })
  })
})
