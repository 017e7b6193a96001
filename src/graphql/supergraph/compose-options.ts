import type { EntryId } from '../../core/entry/entry-id.js'

/** Whether a breaking change of a supergraph refuses its changeset or is a warning of it. */
export type OnBreaking = 'refuse' | 'warn'

/** Which namespaces the gateway composes. */
export interface ComposeOptions {
  readonly namespaces: readonly string[]
  readonly onBreaking: OnBreaking
}

export const SUBGRAPH_KIND = 'graphql.subgraph'
export const SUPERGRAPH_KIND = 'graphql.supergraph'
/** The name of the composed entry in its namespace. */
const SUPERGRAPH_NAME = 'supergraph'

/** The id of the entry with a namespace's composed supergraph. */
export function supergraphId(namespace: string): EntryId {
  // The configuration checks namespaces, and the name needs no check.
  return `${namespace}:${SUPERGRAPH_NAME}` as EntryId
}
