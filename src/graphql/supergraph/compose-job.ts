import type { EntryId } from '../../core/entry/entry-id.js'

// Messages between the gateway's thread and the composing thread. They are plain values, which can be copied.

/** A subgraph's entry. Its data are parsed in the composing thread, because parsing them takes long. */
export interface SubgraphText {
  readonly id: EntryId
  /** The name of the subgraph. */
  readonly name: string
  readonly digest: string
  readonly dataText: string
  /** Whether the changeset creates or updates it. Faults are reported at these subgraphs if possible. */
  readonly isTouched: boolean
}

export interface ComposeJob {
  /** In the order of their ids, so that the same subgraphs give the same supergraph. */
  readonly subgraphs: readonly SubgraphText[]
  /** The subgraphs that the changeset updates or deletes, as they are before it. */
  readonly previousSubgraphs: readonly Omit<SubgraphText, 'isTouched'>[]
  /** The data of the supergraph before the changeset; null if there is none. */
  readonly previous: string | null
}

/** A fault or a breaking change, at a subgraph if one is known. */
export interface CompositionFault {
  readonly id: EntryId | null
  readonly message: string
}

/** The sealed content of the supergraph's entry. */
export type PackedSupergraph = readonly [metaText: string, dataText: string, digest: string]

export type ComposeResult =
  | { readonly faults: readonly CompositionFault[] }
  | { readonly supergraph: PackedSupergraph; readonly breaking: readonly CompositionFault[] }
