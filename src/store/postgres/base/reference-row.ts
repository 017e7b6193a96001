import type { Reference, ReferenceTarget } from '../../../core/dependency/reference.js'
import { type EntryId, entryIdParts } from '../../../core/entry/entry-id.js'
import { sha256 } from '../../planning/sha256.js'
import { storedId } from './entry-row.js'

export type TargetType = 'entry' | 'namespace' | 'group'

export interface ReferenceColumns {
  readonly ns: string
  readonly name: string
  readonly ordinal: number
  readonly path: string
  readonly reference: string
  readonly target_type: TargetType
  readonly target_ns: string
  readonly target_name: string
}

/** A btree entry has room for 2,704 bytes; a longer group name stands as its hash. */
export const MAX_GROUP_BYTES = 2_000

/** What a group is indexed by; `read-references` makes the same in SQL. */
function groupKey(group: string): string {
  return Buffer.byteLength(group) > MAX_GROUP_BYTES ? `sha256:${sha256(group)}` : group
}

/** The rows by which an entry is found as a dependent; a reference to nothing has none. */
export function referenceRows(id: EntryId, references: readonly Reference[]): ReferenceColumns[] {
  const { ns, name } = entryIdParts(id)
  return references.flatMap(({ path, reference, target }, ordinal) => {
    const columns = targetColumns(target)
    return columns === null ? [] : [{ ns, name, ordinal, path, reference, ...columns }]
  })
}

/** How a target stands in the table; null for what is none. */
export function targetColumns(target: ReferenceTarget): TargetColumns | null {
  return TARGET_COLUMNS[target.type](target as never)
}

type TargetColumns = Pick<ReferenceColumns, 'target_type' | 'target_ns' | 'target_name'>

const TARGET_COLUMNS: {
  readonly [Type in ReferenceTarget['type']]: (target: Extract<ReferenceTarget, { type: Type }>) => TargetColumns | null
} = {
  entry: ({ id }) => {
    const { ns, name } = entryIdParts(id)
    return { target_type: 'entry', target_ns: ns, target_name: name }
  },
  namespace: ({ namespace }) => ({ target_type: 'namespace', target_ns: namespace, target_name: '' }),
  group: ({ group }) => ({ target_type: 'group', target_ns: '', target_name: groupKey(group) }),
  nothing: () => null,
}

const GROUP_PREFIX = 'group:'

export function targetOfColumns(row: TargetColumns & Pick<ReferenceColumns, 'reference'>): ReferenceTarget {
  switch (row.target_type) {
    case 'entry':
      return { type: 'entry', id: storedId(row.target_ns, row.target_name) }
    case 'namespace':
      return { type: 'namespace', namespace: row.target_ns }
    case 'group':
      return { type: 'group', group: row.reference.slice(GROUP_PREFIX.length) }
  }
}
