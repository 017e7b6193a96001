import type { GraphQLSchema } from 'graphql'
import { federatedSchema } from '../../graphql/federation/federated-schema.js'
import { type SubgraphOptions, subgraphSchema } from '../../graphql/federation/subgraph-schema.js'
import { subgraphSdl } from '../../graphql/federation/subgraph-sdl.js'
import { FIELD_WEIGHTS } from '../weighing/field-weights.js'

/** The schemas of a gateway that is part of a supergraph. */
export interface FederatedSchemas {
  /** The schema at `/graphql`: the plain names, and the fields of federation unless the subgraph has other names. */
  readonly graphql: GraphQLSchema
  /** The schema at `/subgraph`. */
  readonly subgraph: GraphQLSchema
}

/** @throws Error if the options name a type that does not exist, or make two types of one name */
export function federatedSchemas(plain: GraphQLSchema, options: SubgraphOptions): FederatedSchemas {
  const derived = subgraphSchema(plain, options)
  const sdl = subgraphSdl(derived, plain, options, costOf)
  return {
    graphql: options.prefix === null ? federatedSchema(plain, plain, options, sdl) : plain,
    subgraph: federatedSchema(derived, plain, options, sdl),
  }
}

const DEFAULTS: SubgraphOptions = { prefix: null, keep: [], node: false }

/** The subgraph's SDL. By the default options it is the content of schema/subgraph.graphql. */
export function printedSubgraph(plain: GraphQLSchema, options: SubgraphOptions = DEFAULTS): string {
  return subgraphSdl(subgraphSchema(plain, options), plain, options, costOf)
}

function costOf(coordinate: string): number {
  return FIELD_WEIGHTS[coordinate]?.weight ?? 1
}
