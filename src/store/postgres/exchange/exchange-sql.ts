import type { Participation } from '../../contract/exchange.js'
import { EXCHANGE_CHANNEL } from '../base/channels.js'
import type { Sql } from '../base/retrying-client.js'

/*
 * Each statement may be run twice: where the connection broke, nobody knows whether the first one counted.
 * Leases are by the server's clock, so gateways' clocks need not agree.
 */

/** @bound Lease of a gateway in the exchange. Other gateways consider it dead once the lease runs out. */
export const GATEWAY_LEASE_MS = 5_000
/** Its row, with all that hangs on it, is removed by whoever comes by, when it has been dead for that long. */
const DEAD_MS = 10_000
/** Of a mailbox, at a time. */
const PAGE_ROWS = 500
const PAGE_BYTES = 4 * 1024 * 1024

const lease = (sql: Sql) => sql`clock_timestamp() + ${GATEWAY_LEASE_MS} * interval '1 millisecond'`

export async function takeLease(sql: Sql, gateway: string, listens: boolean): Promise<void> {
  await sql`
    WITH dead AS (DELETE FROM gateway WHERE lease_until < clock_timestamp() - ${DEAD_MS} * interval '1 millisecond')
    INSERT INTO gateway (id, lease_until, listens) VALUES (${gateway}, ${lease(sql)}, ${listens})
    ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until, listens = excluded.listens`
  if (listens) await setListens(sql, gateway, true)
}

/** False where the gateway was held for dead and removed. */
export async function renewLease(sql: Sql, gateway: string): Promise<boolean> {
  const rows = await sql`UPDATE gateway SET lease_until = ${lease(sql)} WHERE id = ${gateway} RETURNING id`
  return rows.length > 0
}

export async function endLease(sql: Sql, gateway: string): Promise<void> {
  await sql`WITH ended AS (DELETE FROM gateway WHERE id = ${gateway} RETURNING id) SELECT pg_notify(${EXCHANGE_CHANNEL}, '*') FROM ended`
}

export async function setListens(sql: Sql, gateway: string, listens: boolean): Promise<boolean> {
  const rows = await sql`
    WITH told AS (UPDATE gateway SET listens = ${listens} WHERE id = ${gateway} RETURNING id)
    SELECT pg_notify(${EXCHANGE_CHANNEL}, '*') FROM told`
  return rows.length > 0
}

export interface Peers {
  readonly participations: readonly Participation[]
  /** Whether any other gateway listens to the bus. */
  readonly othersListen: boolean
}

export async function readPeers(sql: Sql, gateway: string): Promise<Peers> {
  const rows = await sql<
    { id: string | null; name: string; kinds: string[]; on_failure: 'refuse' | 'pass'; listens: boolean }[]
  >`
    SELECT p.id, p.name, p.kinds, p.on_failure, g.listens AND g.id <> ${gateway} AS listens
    FROM gateway g LEFT JOIN participation p ON p.gateway = g.id
    WHERE g.lease_until > clock_timestamp()`
  return {
    participations: rows.flatMap(({ id, name, kinds, on_failure: onFailure }) =>
      id === null ? [] : [{ id, name, kinds, onFailure }],
    ),
    othersListen: rows.some(({ listens }) => listens),
  }
}

export async function insertParticipation(
  sql: Sql,
  gateway: string,
  { id, name, kinds, onFailure }: Participation,
): Promise<void> {
  await sql`
    WITH taken AS (
      INSERT INTO participation (id, gateway, name, kinds, on_failure)
      VALUES (${id}, ${gateway}, ${name}, ${kinds as string[]}::text[], ${onFailure}) ON CONFLICT (id) DO NOTHING
    )
    SELECT pg_notify(${EXCHANGE_CHANNEL}, '*')`
}

export async function deleteParticipation(sql: Sql, id: string): Promise<void> {
  await sql`WITH gone AS (DELETE FROM participation WHERE id = ${id} RETURNING id) SELECT pg_notify(${EXCHANGE_CHANNEL}, '*') FROM gone`
}

export interface MailboxMessage {
  readonly header: string
  readonly body: string
}

/** To the gateways of those recipients that are there. With `proposal`, an answer to it is awaited. False where none is. */
export async function sendToRecipients(
  sql: Sql,
  gateway: string,
  recipients: readonly string[],
  letter: MailboxMessage,
  proposal: { id: string; withinMs: number } | null,
): Promise<boolean> {
  const kept =
    proposal === null
      ? sql``
      : sql`kept AS (
    INSERT INTO proposal (id, gateway, expires_at)
    SELECT ${proposal.id}::uuid, ${gateway}::uuid, clock_timestamp() + ${Math.ceil(proposal.withinMs)} * interval '1 millisecond'
    WHERE EXISTS (SELECT FROM alive) ON CONFLICT (id) DO NOTHING
  ),`
  const rows = await sql`
    WITH alive AS (
      SELECT DISTINCT g.id FROM participation p JOIN gateway g ON g.id = p.gateway
      WHERE p.id = ANY(${recipients as string[]}::uuid[]) AND g.lease_until > clock_timestamp()
    ), ${kept} sent AS (
      INSERT INTO mailbox (gateway, topic, header, body, bytes)
      SELECT id, 'proposal', ${letter.header}::text, ${letter.body}::text, ${letter.body.length}::int FROM alive RETURNING gateway
    )
    SELECT pg_notify(${EXCHANGE_CHANNEL}, gateway::text) FROM sent`
  return rows.length > 0
}

export async function deleteProposal(sql: Sql, id: string): Promise<void> {
  await sql`DELETE FROM proposal WHERE id = ${id}`
}

/** Whether this answer is the one that counts; `answer` is its own random id, so that a second try finds its first. */
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

/** To every other gateway that listens; how many those are. */
export async function sendEventsToPeers(
  sql: Sql,
  gateway: string,
  letters: readonly MailboxMessage[],
): Promise<number> {
  const [sent] = await sql<{ gateways: number }[]>`
    WITH heard AS (
      SELECT id FROM gateway WHERE listens AND id <> ${gateway} AND lease_until > clock_timestamp()
    ), sent AS (
      INSERT INTO mailbox (gateway, topic, header, body, bytes)
      SELECT heard.id, 'event', letter.header, letter.body, length(letter.body)
      FROM unnest(${letters.map(({ header }) => header)}::text[], ${letters.map(({ body }) => body)}::text[])
        WITH ORDINALITY AS letter(header, body, place)
      CROSS JOIN heard ORDER BY heard.id, letter.place
      RETURNING gateway
    ), woken AS (SELECT pg_notify(${EXCHANGE_CHANNEL}, gateway::text) FROM (SELECT DISTINCT gateway FROM sent) g)
    SELECT count(*)::int AS gateways FROM woken`
  return sent!.gateways
}

export interface MailboxRow extends MailboxMessage {
  readonly seq: number
  readonly topic: 'proposal' | 'answer' | 'event'
}

/** What is in the mailbox besides what has been taken, which is removed. In order, a page at a time. */
export async function readMailbox(sql: Sql, gateway: string, taken: readonly number[]): Promise<readonly MailboxRow[]> {
  return sql<MailboxRow[]>`
    WITH gone AS (DELETE FROM mailbox WHERE gateway = ${gateway} AND seq = ANY(${taken as number[]}::bigint[])),
    page AS (
      SELECT seq, topic, header, body, sum(bytes) OVER (ORDER BY seq) - bytes AS before
      FROM (
        SELECT * FROM mailbox WHERE gateway = ${gateway} AND NOT seq = ANY(${taken as number[]}::bigint[])
        ORDER BY seq LIMIT ${PAGE_ROWS}
      ) first
    )
    SELECT seq, topic, header, body FROM page WHERE before < ${PAGE_BYTES} ORDER BY seq`
}

/** Leaves the newest events alone: who reads so slowly that more of them wait has missed the others. */
export async function trimEvents(sql: Sql, gateway: string, keep: number): Promise<void> {
  await sql`
    DELETE FROM mailbox WHERE gateway = ${gateway} AND topic = 'event' AND seq <= (
      SELECT seq FROM mailbox WHERE gateway = ${gateway} AND topic = 'event' ORDER BY seq DESC OFFSET ${keep} LIMIT 1
    )`
}
