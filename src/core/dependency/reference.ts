import type { Content } from '../entry/entry.js'
import { type EntryId, entryIdParts } from '../entry/entry-id.js'
import type { Json } from '../entry/json.js'
import { compareText } from '../entry/text.js'

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

/** Equal for equal targets. */
export function targetKey(target: ReferenceTarget): string {
  return targetParts(target).join('\0')
}

/** By type, then by what is named: ids as ids are ordered. */
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
