import { compileField } from '../../core/criteria/field.js'
import type { Change } from '../../core/history/change.js'
import type { LogPage } from '../../store/contract/history-reader.js'
import { fieldKey, type IndexKey, isScalar, type Scalar } from './index-key.js'

type ByValue = ReadonlyMap<Scalar, readonly Change[]>

const NOTHING: readonly Change[] = []

/** By page, then by field: made for those fields that somebody's filter is about, once for all. */
const indexes = new WeakMap<LogPage, Map<string, ByValue>>()

/** The changes of a page by what the entry holds in a field, before or after. */
export function changesByValue(page: LogPage, field: IndexKey['field']): ByValue {
  let fields = indexes.get(page)
  if (fields === undefined) indexes.set(page, (fields = new Map()))
  const key = fieldKey(field)
  let byValue = fields.get(key)
  if (byValue === undefined) fields.set(key, (byValue = grouped(page.changes, field)))
  return byValue
}

/** The changes of a page that a filter may be concerned with, in their order; all of them where that cannot be told. */
export function changesFor(page: LogPage, interest: IndexKey | null): readonly Change[] {
  if (interest === null) return page.changes
  const byValue = changesByValue(page, interest.field)
  const found = interest.values.map((value) => byValue.get(value)).filter((changes) => changes !== undefined)
  if (found.length <= 1) return found[0] ?? NOTHING
  // One that went from one of these values to another stands under both.
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
