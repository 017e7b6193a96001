import { compileField } from '../../core/criteria/field.js'
import type { Change } from '../../core/history/change.js'
import type { LogPage } from '../../store/contract/history-reader.js'
import { fieldKey, type IndexKey, isScalar, type Scalar } from './index-key.js'

type ByValue = ReadonlyMap<Scalar, readonly Change[]>

const NOTHING: readonly Change[] = []

/** Indexes by page, then by field. All followers share an index, and only fields that filters need are indexed. */
const indexes = new WeakMap<LogPage, Map<string, ByValue>>()

/** Returns the changes of a page by the values that their entry holds in a field, before or after. */
export function pageIndex(page: LogPage, field: IndexKey['field']): ByValue {
  let fields = indexes.get(page)
  if (fields === undefined) indexes.set(page, (fields = new Map()))
  const key = fieldKey(field)
  let byValue = fields.get(key)
  if (byValue === undefined) fields.set(key, (byValue = grouped(page.changes, field)))
  return byValue
}

/** Returns the changes of a page that a filter with an index key may match, in their order. Without a key, all of them. */
export function candidateChanges(page: LogPage, indexKey: IndexKey | null): readonly Change[] {
  if (indexKey === null) return page.changes
  const byValue = pageIndex(page, indexKey.field)
  const found = indexKey.values.map((value) => byValue.get(value)).filter((changes) => changes !== undefined)
  if (found.length <= 1) return found[0] ?? NOTHING
  // A change from one of these values to another one is listed under both.
  return [...new Set(found.flat())].sort((a, b) => a.revision - b.revision || a.position - b.position)
}

function grouped(changes: readonly Change[], field: IndexKey['field']): ByValue {
  const valuesOf = compileField(field)
  const byValue = new Map<Scalar, Change[]>()
  for (const change of changes) {
    for (const entry of [change.previous, change.entry]) {
      if (entry === null) continue
      for (const value of valuesOf(entry)) {
        if (!isScalar(value)) continue
        const same = byValue.get(value)
        if (same === undefined) byValue.set(value, [change])
        else if (same.at(-1) !== change) same.push(change)
      }
    }
  }
  return byValue
}
