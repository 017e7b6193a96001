import type { Sql } from '../base/open-pool.js'

/** Removes replies after 48 hours. SPEC promises 24, so clocks and the time of this call need not be exact. */
export async function removeOldReplies(sql: Sql): Promise<void> {
  await sql`DELETE FROM reply WHERE created_at < now() - interval '48 hours'`
}
