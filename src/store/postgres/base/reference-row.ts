import { flatMapInSteps, type Steps } from '../../../core/algorithms/steps.js'
import type { Reference, ReferenceTarget } from '../../../core/dependency/reference.js'
import { type EntryId, entryIdParts } from '../../../core/entry/entry-id.js'
import { sha256 } from '../../planning/sha256.js'
import { columnsOf, type StoredRow, selectList } from './columns.js'
import { storedId } from './entry-row.js'
import { reference } from './tables.js'

const REFERENCE = columnsOf(reference)

export type ReferenceColumns = StoredRow<typeof reference>
export type TargetColumns = Pick<ReferenceColumns, 'targetType' | 'targetNs' | 'targetName'>

export const referenceColumns = (alias: string) => selectList(REFERENCE, alias)

/** A btree entry has room for 2,704 bytes. A longer group name is stored as its hash. */
export const MAX_GROUP_BYTES = 2_000

/** The text by which a group is indexed. `read-references` builds the same in SQL. */
function groupKey(group: string): string {
  return Buffer.byteLength(group) > MAX_GROUP_BYTES ? `sha256:${sha256(group)}` : group
}

/** The rows by which an entry is found as a dependent. A reference to nothing has none. */
export function* referenceRows(id: EntryId, references: readonly Reference[]): Steps<ReferenceColumns[]> {
  const { ns, name } = entryIdParts(id)
  return yield* flatMapInSteps(references, ({ path, reference, target }, ordinal): ReferenceColumns[] => {
    const columns = targetColumns(target)
    return columns === null ? [] : [{ ns, name, ordinal, path, reference, ...columns }]
  })
}

/** Serializes a row to one text, which is the same for equal rows. */
export function textOfReference(row: ReferenceColumns): string {
  return JSON.stringify(REFERENCE.map(({ key }) => row[key as keyof ReferenceColumns]))
}

/** A target's columns in the table; null for a reference to nothing. */
export function targetColumns(target: ReferenceTarget): TargetColumns | null {
  return TARGET_COLUMNS[target.type](target as never)
}

const TARGET_COLUMNS: {
  readonly [Type in ReferenceTarget['type']]: (target: Extract<ReferenceTarget, { type: Type }>) => TargetColumns | null
} = {
  entry: ({ id }) => {
    const { ns, name } = entryIdParts(id)
    return { targetType: 'entry', targetNs: ns, targetName: name }
  },
  namespace: ({ namespace }) => ({ targetType: 'namespace', targetNs: namespace, targetName: '' }),
  group: ({ group }) => ({ targetType: 'group', targetNs: '', targetName: groupKey(group) }),
  nothing: () => null,
}

const GROUP_PREFIX = 'group:'

export function targetOfColumns(row: TargetColumns & Pick<ReferenceColumns, 'reference'>): ReferenceTarget {
  switch (row.targetType) {
    case 'entry':
      return { type: 'entry', id: storedId(row.targetNs, row.targetName) }
    case 'namespace':
      return { type: 'namespace', namespace: row.targetNs }
    case 'group':
      return { type: 'group', group: row.reference.slice(GROUP_PREFIX.length) }
  }
}
