import type { Steps } from '../algorithms/steps.js'
import type { Content } from '../entry/entry.js'
import { type EntryId, entryIdParts } from '../entry/entry-id.js'
import type { Json } from '../entry/json.js'
import { compareText } from '../entry/text.js'

/** The target of a reference: one entry, every entry of a namespace, or every entry of a group. */
export type ReferenceTarget =
  | { readonly type: 'entry'; readonly id: EntryId }
  | { readonly type: 'namespace'; readonly namespace: string }
  | { readonly type: 'group'; readonly group: string }
  /** Text that cannot be an id (`:registry`). The reference is reported and always dangles. */
  | { readonly type: 'nothing' }

/** A place in an entry's content that names other entries. */
export interface Reference {
  /** The path, e.g. `meta.depends_on.0`. It is unique among the references of one entry. */
  readonly path: string
  /** As written. */
  readonly reference: string
  readonly target: ReferenceTarget
}

/** A path over `{meta, data}`. Its segments are literals, with `allowWildcard` also `*`, `pre*`, `*post`, `pre*post`. */
export interface DependencyPattern {
  readonly path: string
  readonly allowWildcard?: boolean
}

/** Extracts the references in an entry's content. Bare names get the namespace of the id. */
export interface ExtractReferences {
  /** Returns the references by path. */
  (id: EntryId, content: Content): readonly Reference[]
  /** Does the same in steps. An entry of 1 MiB may have 200,000 references. */
  inSteps(id: EntryId, content: Content): Steps<readonly Reference[]>
  /**
   * Returns what the references name, in no particular order and perhaps twice where it is written in two ways. Takes a
   * small part of the time, because it needs no paths.
   */
  targets(id: EntryId, content: Content): Steps<readonly ReferenceTarget[]>
}

/** Returns the groups of an entry: the strings of the array `meta.groups`, each once. */
export function groupsOf(content: Content): readonly string[] {
  if (!Object.hasOwn(content.meta, 'groups')) return []
  const groups: Json = content.meta['groups']!
  if (!Array.isArray(groups)) return []
  return [...new Set((groups as readonly Json[]).filter((group) => typeof group === 'string'))]
}

/** A key for maps: equal for equal targets. */
export function targetKey(target: ReferenceTarget): string {
  return targetParts(target).join('\0')
}

/** Compares by type, then by name. Ids are compared in the order of ids. */
export function compareTargets(a: ReferenceTarget, b: ReferenceTarget): number {
  const [of, than] = [targetParts(a), targetParts(b)]
  return compareText(of[0], than[0]) || compareText(of[1], than[1]) || compareText(of[2], than[2])
}

function targetParts(target: ReferenceTarget): readonly [type: string, ns: string, name: string] {
  switch (target.type) {
    case 'entry': {
      const { ns, name } = entryIdParts(target.id)
      return [target.type, ns, name]
    }
    case 'namespace':
      return [target.type, target.namespace, '']
    case 'group':
      return [target.type, '', target.group]
    case 'nothing':
      return [target.type, '', '']
  }
}
