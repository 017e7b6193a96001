import { getTableColumns, is } from 'drizzle-orm'
import { PgTable } from 'drizzle-orm/pg-core'
import { describe, expect, it } from 'vitest'
import * as tables from '../../../../src/store/postgres/base/tables.js'

/** Columns that only Drizzle reads, with an older name than their key: stored data keeps its names. */
const OLDER_NAMES: Readonly<Record<string, string>> = { notified: 'told' }

describe('the tables', () => {
  it('name each column after its key, in snake case, as RowOf assumes', () => {
    for (const table of Object.values(tables).filter((each) => is(each, PgTable))) {
      for (const [key, column] of Object.entries(getTableColumns(table as PgTable)))
        expect(column.name).toBe(OLDER_NAMES[key] ?? key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`))
    }
  })
})
