import { eq, gt, lt, type SQL, sql } from 'drizzle-orm'
import type { Participation } from '../../contract/exchange.js'
import { EXCHANGE_CHANNEL } from '../base/channels.js'
import type { Database } from '../base/drizzle-client.js'
import { gateway, participation } from '../base/tables.js'

/*
 * Every statement may run twice, because the client repeats it if the connection breaks, whether or not it was
 * executed.
 * Leases use the server's clock, so the clocks of gateways need not agree.
 */

/** @bound Lease of a gateway in the exchange. Other gateways consider it dead when the lease has expired. */
const GATEWAY_LEASE_MS = 5_000
/**
 * How long a gateway's lease must have expired before another gateway removes its row, with everything attached to it.
 */
const DEAD_MS = 10_000

/** Notifies every gateway that participations or listeners have changed. For a RETURNING list. */
const notifyPeers = sql`pg_notify(${EXCHANGE_CHANNEL}, '*')`

/** Inserts the gateway's row, or renews it, and removes the rows of dead gateways. */
export async function takeLease(database: Database, id: string, listens: boolean): Promise<void> {
  const dead = database.$with('dead').as(database.delete(gateway).where(lt(gateway.leaseUntil, fromNow(-DEAD_MS))))
  const values = { leaseUntil: fromNow(GATEWAY_LEASE_MS), listens }
  await database
    .with(dead)
    .insert(gateway)
    .values({ id, ...values })
    .onConflictDoUpdate({ target: gateway.id, set: values })
  if (listens) await setListens(database, id, true)
}

/** Returns false if another gateway considered this one dead and removed its row. */
export async function renewLease(database: Database, id: string): Promise<boolean> {
  const rows = await database
    .update(gateway)
    .set({ leaseUntil: fromNow(GATEWAY_LEASE_MS) })
    .where(eq(gateway.id, id))
    .returning({ id: gateway.id })
  return rows.length > 0
}

/** Removes the gateway's row, with its participations, proposals and mailbox. */
export async function endLease(database: Database, id: string): Promise<void> {
  await database.delete(gateway).where(eq(gateway.id, id)).returning({ notified: notifyPeers })
}

/** Sets whether other gateways send bus events to this one. */
export async function setListens(database: Database, id: string, listens: boolean): Promise<void> {
  await database.update(gateway).set({ listens }).where(eq(gateway.id, id)).returning({ notified: notifyPeers })
}

export interface Peers {
  /** The participations on all live gateways, including this one. The oldest comes first. */
  readonly participations: readonly Participation[]
  /** Whether any other gateway listens to the bus. */
  readonly othersListen: boolean
}

export async function readPeers(database: Database, self: string): Promise<Peers> {
  const { id, name, kinds, onFailure } = participation
  const rows = await database
    .select({ gateway: gateway.id, listens: gateway.listens, participation: { id, name, kinds, onFailure } })
    .from(gateway)
    .leftJoin(participation, eq(participation.gateway, gateway.id))
    .where(gt(gateway.leaseUntil, sql`clock_timestamp()`))
    .orderBy(participation.joined)
  return {
    participations: rows.flatMap((row) => row.participation ?? []),
    othersListen: rows.some((row) => row.listens && row.gateway !== self),
  }
}

export async function insertParticipation(
  database: Database,
  self: string,
  { id, name, kinds, onFailure }: Participation,
): Promise<void> {
  await database
    .insert(participation)
    .values({ id, gateway: self, name, kinds: [...kinds], onFailure })
    .onConflictDoNothing({ target: participation.id })
    .returning({ notified: notifyPeers })
}

export async function deleteParticipation(database: Database, id: string): Promise<void> {
  await database.delete(participation).where(eq(participation.id, id)).returning({ notified: notifyPeers })
}

function fromNow(ms: number): SQL {
  return sql`clock_timestamp() + ${ms} * interval '1 millisecond'`
}
