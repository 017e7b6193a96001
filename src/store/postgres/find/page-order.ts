import { entryIdParts } from '../../../core/entry/entry-id.js'
import type { EntryOrder, EntryPosition, Page } from '../../contract/history-reader.js'

export const DESCENDING: Readonly<Record<EntryOrder, boolean>> = {
  ID_ASC: false,
  ID_DESC: true,
  REVISION_ASC: false,
  REVISION_DESC: true,
}
export const BY_REVISION: Readonly<Record<EntryOrder, boolean>> = {
  ID_ASC: false,
  ID_DESC: false,
  REVISION_ASC: true,
  REVISION_DESC: true,
}

const orderColumns = (alias: string, order: EntryOrder) =>
  (BY_REVISION[order] ? ['revision', 'ns', 'name'] : ['ns', 'name']).map((name) => `${alias}.${name}`)

/** `ORDER BY` for a page. */
export function orderOf(alias: string, order: EntryOrder, page: Page<EntryPosition>): string {
  const direction = DESCENDING[order] === page.fromEnd ? 'ASC' : 'DESC'
  const columns = orderColumns(alias, order).map((column) => `${column} ${direction}`)
  return `ORDER BY ${columns.join(', ')}`
}

/** Conditions that hold for the rows between a page's ends. */
export function boundsOf(alias: string, order: EntryOrder, page: Page<EntryPosition>, add: (value: unknown) => string) {
  const types = BY_REVISION[order] ? ['bigint', 'text', 'text'] : ['text', 'text']
  const bound = (operator: string, position: EntryPosition | null) => {
    if (position === null) return []
    const { ns, name } = entryIdParts(position.id)
    const values = (BY_REVISION[order] ? [position.revision, ns, name] : [ns, name]).map(
      (v, i) => `${add(v)}::${types[i]}`,
    )
    return [`(${orderColumns(alias, order).join(', ')}) ${operator} (${values.join(', ')})`]
  }
  const [later, earlier] = DESCENDING[order] ? ['<', '>'] : ['>', '<']
  return [...bound(later!, page.after), ...bound(earlier!, page.before)]
}
