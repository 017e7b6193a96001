import { type DocumentNode, parse } from 'graphql'
import { beforeAll, describe, expect, it } from 'vitest'
import type { SubgraphOptions } from '../../src/graphql/federation/subgraph-schema.js'
import { schema } from '../../src/graphql/schema.js'
import { printedSubgraph } from '../../src/server/engine/subgraph.js'
import { INSTALL_MS, installInterop, interop } from './packages.js'
import { COMMENTS, REVIEWS } from './subgraphs.js'

const PREFIXED: SubgraphOptions = { prefix: 'Registry', keep: ['Entry'], node: false }
const ALL_PREFIXED: SubgraphOptions = { prefix: 'Second', keep: [], node: false }

type Subgraphs = Readonly<Record<string, string>>
type Compose = (subgraphs: Subgraphs) => { readonly errors: string[]; readonly supergraph: string }

const REGISTRY = printedSubgraph(schema)

const SUPERGRAPHS: Readonly<Record<string, Subgraphs>> = {
  'the registry alone': { registry: REGISTRY },
  'a subgraph that extends Entry by its key': { registry: REGISTRY, reviews: REVIEWS },
  'a subgraph that declares EntryState as an interface object': { registry: REGISTRY, comments: COMMENTS },
  'both of them': { registry: REGISTRY, reviews: REVIEWS, comments: COMMENTS },
  'the registry with a prefix alone': { registry: printedSubgraph(schema, PREFIXED) },
  'the registry with a prefix, and both of them': {
    registry: printedSubgraph(schema, PREFIXED),
    reviews: REVIEWS,
    comments: COMMENTS,
  },
  'the registry with node and nodes': { registry: printedSubgraph(schema, { prefix: null, keep: [], node: true }) },
  'another Relay subgraph': {
    registry: REGISTRY,
    other: `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"])
      interface Node { id: ID! }
      type Product implements Node @key(fields: "id") { id: ID! }
      type PageInfo @shareable { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
      type Query { node(id: ID!): Node products: [Product!]! }`,
  },
}

describe.each(['The Guild', 'Apollo'])('the composition of %s', (composer) => {
  let compose: Compose

  beforeAll(async () => {
    await installInterop()
    compose = composer === 'Apollo' ? await apollo() : await guild()
  }, INSTALL_MS)

  it.each(Object.keys(SUPERGRAPHS))('composes %s', (name) => {
    const { errors, supergraph } = compose(SUPERGRAPHS[name]!)
    expect(errors).toEqual([])
    expect(supergraph).toContain('join__Graph')
  })

  it('composes two registries of which one has a prefix, and keeps the fields of both', () => {
    const { errors, supergraph } = compose({ first: REGISTRY, second: printedSubgraph(schema, ALL_PREFIXED) })
    expect(errors).toEqual([])
    const { fields, types } = namesOf(parse(supergraph))
    expect(fields).toEqual(expect.arrayContaining(['entries', 'secondEntries', 'applyChangeset', 'secondChanges']))
    expect(types).toEqual(expect.arrayContaining(['Entry', 'SecondEntry', 'SecondEntryFilter', 'EntryState']))
  })

  it('adds a field of an interface object to both types of the interface', () => {
    const { supergraph } = compose({ registry: REGISTRY, comments: COMMENTS })
    const { fieldsOf } = namesOf(parse(supergraph))
    for (const type of ['Entry', 'EntryRevision', 'EntryState']) expect(fieldsOf[type]).toContain('comments')
  })
})

function namesOf(document: DocumentNode) {
  const fieldsOf: Record<string, string[]> = {}
  for (const definition of document.definitions)
    if ('fields' in definition && 'name' in definition && definition.name !== undefined)
      fieldsOf[definition.name.value] = (definition.fields ?? []).map(({ name }) => name.value)
  const roots = ['Query', 'Mutation', 'Subscription']
  return { fieldsOf, types: Object.keys(fieldsOf), fields: roots.flatMap((root) => fieldsOf[root] ?? []) }
}

async function guild(): Promise<Compose> {
  const { composeServices } = interop('@theguild/federation-composition')
  return (subgraphs) => {
    const services = Object.entries(subgraphs).map(([name, sdl]) => ({ name, typeDefs: parse(sdl), url: urlOf(name) }))
    return outcome(composeServices(services))
  }
}

async function apollo(): Promise<Compose> {
  const { composeServices } = interop('@apollo/composition')
  // Apollo's own copy of graphql: it refuses documents and schemas of another.
  const { parse: parseHere } = interop('graphql')
  return (subgraphs) => {
    const services = Object.entries(subgraphs).map(([name, sdl]) => ({
      name,
      typeDefs: parseHere(sdl),
      url: urlOf(name),
    }))
    return outcome(composeServices(services))
  }
}

const urlOf = (name: string) => `http://${name}.example/graphql`

function outcome(result: { errors?: { message: string }[]; supergraphSdl?: string }): ReturnType<Compose> {
  return { errors: (result.errors ?? []).map(({ message }) => message), supergraph: result.supergraphSdl ?? '' }
}
