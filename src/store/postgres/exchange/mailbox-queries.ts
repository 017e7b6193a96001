import { and, desc, eq, lte, sql } from 'drizzle-orm'
import { EXCHANGE_CHANNEL } from '../base/channels.js'
import type { StoredRow } from '../base/columns.js'
import type { Database } from '../base/drizzle-client.js'
import type { Sql } from '../base/open-pool.js'
import { mailbox, proposal } from '../base/tables.js'

/*
 * Every statement may run twice, as those of peer-queries.ts. Sending, answering and reading are raw SQL: each is one
 * round trip that changes several tables, and notifies only the gateways it has written to.
 */

/** @bound Messages read from a mailbox at a time. */
const PAGE_ROWS = 500
/** @bound Size of the messages read from a mailbox at a time, unless one is larger. */
const PAGE_BYTES = 4 * 1024 * 1024

export type MailboxMessage = Pick<StoredRow<typeof mailbox>, 'header' | 'body'>
export type MailboxRow = Pick<StoredRow<typeof mailbox>, 'seq' | 'topic' | 'header' | 'body'>

/**
 * Sends a message to the gateways of those recipients that are alive, and awaits an answer if there is an `offer`.
 * @returns false if none of the recipients is alive
 */
export async function sendToRecipients(
  sql: Sql,
  self: string,
  recipients: readonly string[],
  { header, body }: MailboxMessage,
  offer: { readonly id: string; readonly withinMs: number } | null,
): Promise<boolean> {
  const offered =
    offer === null
      ? sql``
      : sql`offered AS (
    INSERT INTO proposal (id, gateway, expires_at)
    SELECT ${offer.id}::uuid, ${self}::uuid, clock_timestamp() + ${Math.ceil(offer.withinMs)} * interval '1 millisecond'
    WHERE EXISTS (SELECT FROM alive) ON CONFLICT (id) DO NOTHING
  ),`
  const rows = await sql`
    WITH alive AS (
      SELECT DISTINCT g.id FROM participation p JOIN gateway g ON g.id = p.gateway
      WHERE p.id = ANY(${recipients as string[]}::uuid[]) AND g.lease_until > clock_timestamp()
    ), ${offered} sent AS (
      INSERT INTO mailbox (gateway, topic, header, body, bytes)
      SELECT id, 'proposal', ${header}::text, ${body}::text, ${body.length}::int FROM alive RETURNING gateway
    )
    SELECT pg_notify(${EXCHANGE_CHANNEL}, gateway::text) FROM sent`
  return rows.length > 0
}

export async function deleteProposal(database: Database, id: string): Promise<void> {
  await database.delete(proposal).where(eq(proposal.id, id))
}

/**
 * Answers a proposal, unless another answer came first or it has expired. `answer` is a random id, by which a repeated
 * statement recognizes its own answer.
 * @returns whether this answer counts
 */
export async function answerProposal(sql: Sql, id: string, answer: string, header: string): Promise<boolean> {
  const rows = await sql`
    WITH counted AS (
      UPDATE proposal p SET answer = ${answer} FROM gateway g
      WHERE p.id = ${id} AND (p.answer IS NULL OR p.answer = ${answer}) AND p.expires_at > clock_timestamp()
        AND g.id = p.gateway AND g.lease_until > clock_timestamp()
      RETURNING p.gateway
    ), sent AS (
      INSERT INTO mailbox (gateway, topic, header, body, bytes)
      SELECT gateway, 'answer', ${header}::text, '', 0 FROM counted RETURNING gateway
    )
    SELECT pg_notify(${EXCHANGE_CHANNEL}, gateway::text) FROM sent`
  return rows.length > 0
}

/** Sends events to every other gateway that listens. Returns the number of those gateways. */
export async function sendEventsToPeers(sql: Sql, self: string, messages: readonly MailboxMessage[]): Promise<number> {
  const [sent] = await sql<{ gateways: number }[]>`
    WITH listening AS (
      SELECT id FROM gateway WHERE listens AND id <> ${self} AND lease_until > clock_timestamp()
    ), sent AS (
      INSERT INTO mailbox (gateway, topic, header, body, bytes)
      SELECT listening.id, 'event', message.header, message.body, length(message.body)
      FROM unnest(${messages.map(({ header }) => header)}::text[], ${messages.map(({ body }) => body)}::text[])
        WITH ORDINALITY AS message(header, body, place)
      CROSS JOIN listening ORDER BY listening.id, message.place
      RETURNING gateway
    ), notified AS (SELECT pg_notify(${EXCHANGE_CHANNEL}, gateway::text) FROM (SELECT DISTINCT gateway FROM sent) g)
    SELECT count(*)::int AS gateways FROM notified`
  return sent!.gateways
}

/** Removes the messages already read from a mailbox, and reads a page of the others in order. */
export async function readMailbox(sql: Sql, self: string, read: readonly number[]): Promise<readonly MailboxRow[]> {
  return sql<MailboxRow[]>`
    WITH removed AS (DELETE FROM mailbox WHERE gateway = ${self} AND seq = ANY(${read as number[]}::bigint[])),
    page AS (
      SELECT seq, topic, header, body, sum(bytes) OVER (ORDER BY seq) - bytes AS before
      FROM (
        SELECT * FROM mailbox WHERE gateway = ${self} AND NOT seq = ANY(${read as number[]}::bigint[])
        ORDER BY seq LIMIT ${PAGE_ROWS}
      ) first
    )
    SELECT seq, topic, header, body FROM page WHERE before < ${PAGE_BYTES} ORDER BY seq`
}

/** Removes all but the newest `limit` events. A gateway that reads more slowly misses the others. */
export async function trimEvents(database: Database, self: string, limit: number): Promise<void> {
  const isEvent = and(eq(mailbox.gateway, self), eq(mailbox.topic, 'event'))
  const newestRemoved = database
    .select({ seq: mailbox.seq })
    .from(mailbox)
    .where(isEvent)
    .orderBy(desc(mailbox.seq))
    .offset(limit)
    .limit(1)
  await database.delete(mailbox).where(and(isEvent, lte(mailbox.seq, sql`${newestRemoved}`)))
}
