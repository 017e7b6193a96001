import type { EntryId } from '../../core/entry/entry-id.js'
import type { Problem } from '../../core/errors/problem.js'
import type { Warning } from '../../core/errors/warning.js'
import type { Operation } from '../../core/ordering/operation.js'
import type { DerivedEntry } from '../../store/contract/derived-entries.js'
import type { CommitRequest } from '../../store/contract/history-writer.js'

/** A changeset as it is planned: the operations that would be applied. */
export interface ProposedChange {
  readonly action: CommitRequest['action']['type']
  readonly delta: readonly Operation[]
}

/** Why a changeset is refused, or the derived entries after it. */
export type Derivation =
  | { readonly problems: readonly Problem[] }
  | { readonly entries: readonly DerivedEntry[]; readonly warnings: readonly Warning[] }

/**
 * A participant of the gateway itself. It judges a changeset as a whole, and computes entries from others that are
 * written in the same changeset.
 */
export interface EntryDeriver {
  /** The name in problems and events. */
  readonly name: string
  /** The entries that it computes. */
  readonly ids: ReadonlySet<EntryId>
  /** Whether a write may concern it, without reading state. */
  mayConcern(action: CommitRequest['action']): boolean
  /**
   * Judges a planned changeset and computes the entries. It runs without any lock: the store refuses the commit if one
   * of the entries has changed since.
   * @throws Error if it cannot decide
   */
  derive(change: ProposedChange, signal: AbortSignal): Promise<Derivation>
}
