import type { EntryId } from './entry-id.js'

/** What a reference points at: one entry, every entry of a namespace, or every entry of a group. */
export type ReferenceTarget =
  | { readonly type: 'entry'; readonly id: EntryId }
  | { readonly type: 'namespace'; readonly namespace: string }
  | { readonly type: 'group'; readonly group: string }
  /** Text that cannot be an id (`:registry`): a reference that dangles for good, told and nothing else. */
  | { readonly type: 'nothing' }

/** One place in an entry's content that refers to something. */
export interface Reference {
  /** Where it stands, e.g. `meta.depends_on.0`. */
  readonly path: string
  /** As written. */
  readonly reference: string
  readonly target: ReferenceTarget
}

/** `path` over `{meta, data}`; segments are literals, with `allowWildcard` also `*`, `pre*`, `*post`, `pre*post`. */
export interface DependencyPattern {
  readonly path: string
  readonly allowWildcard?: boolean
}
