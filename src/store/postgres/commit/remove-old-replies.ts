import type { Sql } from '../base/retrying-client.js'

/** Answers are kept for 24 hours at least; twice that, so that clocks and checks need not be exact. */
export async function removeOldReplies(sql: Sql): Promise<void> {
  await sql`DELETE FROM reply WHERE created_at < now() - interval '48 hours'`
}
