import type { EntryRevision } from '../../core/entry.js'
import { ENTRY_COLUMNS, entryOfColumns, type EntryColumns } from './entry-row.js'
import { insertReferences, type Transaction } from './write-batch.js'
import type { Sql } from './read-client.js'
import type { HistoryOptions } from '../history.js'

const ENTRIES_AT_ONCE = 2_000

/** Fills `reference` anew where the configured patterns are not those that it was filled by. */
export async function indexReferences(client: Sql, { references, referencesFingerprint }: HistoryOptions): Promise<void> {
  const [pointer] = await client<{ references_fingerprint: string }[]>`SELECT references_fingerprint FROM head_pointer`
  if (pointer!.references_fingerprint === referencesFingerprint) return
  await client.begin(async (sql) => {
    // Under the writers' lock: nobody adds references by the old patterns meanwhile.
    const [locked] = await sql<{ references_fingerprint: string }[]>`SELECT references_fingerprint FROM head_pointer FOR UPDATE`
    if (locked!.references_fingerprint === referencesFingerprint) return
    await sql`DELETE FROM reference`
    const entries = sql.unsafe<EntryColumns[]>(`SELECT ${ENTRY_COLUMNS} FROM head h`).cursor(ENTRIES_AT_ONCE)
    for await (const rows of entries) {
      const page: EntryRevision[] = rows.map(entryOfColumns)
      await insertReferences(sql as Transaction, page, references)
    }
    await sql`UPDATE head_pointer SET references_fingerprint = ${referencesFingerprint}`
  })
}
