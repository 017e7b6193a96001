import type { HistoryOptions } from '../../contract/history.js'
import { type EntryColumns, entryColumns, entryOfColumns } from '../base/entry-row.js'
import type { Sql, Transaction } from '../base/open-pool.js'
import { copyReferences, insertReferences } from './copy-batch.js'
import { TOUCH_HEAD_POINTER } from './head-stamp.js'

/** @bound Entries whose references are indexed in one statement. */
const ENTRIES_AT_ONCE = 2_000

/** Fills `reference` again if the configured patterns differ from those with which it was filled. */
export async function indexReferences(
  client: Sql,
  { references, referencesFingerprint }: HistoryOptions,
): Promise<void> {
  const [pointer] = await client<{ references_fingerprint: string }[]>`SELECT references_fingerprint FROM head_pointer`
  if (pointer!.references_fingerprint === referencesFingerprint) return
  await client.begin(async (sql) => {
    // Under the writers' lock, so that no batch adds references by the old patterns.
    const [locked] = await sql<
      { references_fingerprint: string }[]
    >`SELECT references_fingerprint FROM head_pointer FOR UPDATE`
    if (locked!.references_fingerprint === referencesFingerprint) return
    await sql`DELETE FROM reference`
    let after = { ns: '', name: '' }
    for (;;) {
      const rows: EntryColumns[] = await sql.unsafe<EntryColumns[]>(
        `SELECT ${entryColumns('h')} FROM head h WHERE (h.ns, h.name) > ($1, $2) ORDER BY h.ns, h.name LIMIT ${ENTRIES_AT_ONCE}`,
        [after.ns, after.name],
      )
      const write = rows.length === ENTRIES_AT_ONCE ? copyReferences : insertReferences
      await write(sql as Transaction, rows.map(entryOfColumns), references)
      if (rows.length < ENTRIES_AT_ONCE) break
      after = rows.at(-1)!
    }
    // A batch that was planned before waits for this. It must be planned again, because its statement does not see
    // these rows.
    await sql.unsafe(TOUCH_HEAD_POINTER)
    await sql`UPDATE head_pointer SET references_fingerprint = ${referencesFingerprint}`
  })
}
