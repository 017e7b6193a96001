import type { EntryId } from './entry-id.js'
import type { Content } from './entry.js'
import type { Json } from './json.js'

/** What a reference points at: one entry, every entry of a namespace, or every entry of a group. */
export type ReferenceTarget =
  | { readonly type: 'entry'; readonly id: EntryId }
  | { readonly type: 'namespace'; readonly namespace: string }
  | { readonly type: 'group'; readonly group: string }
  /** Text that cannot be an id (`:registry`): a reference that dangles for good, told and nothing else. */
  | { readonly type: 'nothing' }

/** One place in an entry's content that refers to something. */
export interface Reference {
  /** Where it stands, e.g. `meta.depends_on.0`. No two references of one entry have the same. */
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

/** The references in one entry's content, by path; the id gives bare names their namespace. */
export type ExtractReferences = (id: EntryId, content: Content) => readonly Reference[]

/** The groups that an entry is in: the strings of the array `meta.groups`, each once. */
export function groupsOf(content: Content): readonly string[] {
  if (!Object.hasOwn(content.meta, 'groups')) return []
  const groups: Json = content.meta['groups']!
  if (!Array.isArray(groups)) return []
  return [...new Set((groups as readonly Json[]).filter((group) => typeof group === 'string'))]
}
