import { parse } from 'graphql'
import { schema } from '../../src/graphql/schema.js'
import { printedSubgraph } from '../../src/server/engine/subgraph.js'
import { interop } from './packages.js'

/** A subgraph as a composition takes it. */
export interface ComposedSubgraph {
  readonly name: string
  readonly sdl: string
  readonly url: string
}

const subgraphUrl = (endpoint: string): string => endpoint.replace(/graphql$/, 'subgraph')

/** The registry as a subgraph, by the address of its `/graphql`. */
export function registrySubgraph(endpoint: string): ComposedSubgraph {
  return { name: 'registry', sdl: printedSubgraph(schema), url: subgraphUrl(endpoint) }
}

/** Composes a supergraph by The Guild's composition. @throws Error if the subgraphs do not compose */
export async function composeSupergraph(...subgraphs: ComposedSubgraph[]): Promise<string> {
  const { composeServices } = interop('@theguild/federation-composition')
  const services = subgraphs.map(({ name, sdl, url }) => ({ name, typeDefs: parse(sdl), url }))
  const { errors, supergraphSdl } = composeServices(services)
  if (supergraphSdl === undefined) throw new Error(JSON.stringify(errors))
  return supergraphSdl
}
