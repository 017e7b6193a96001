import { randomUUID } from 'node:crypto'
import { and, eq, lt, type SQL, sql } from 'drizzle-orm'
import { Packr } from 'msgpackr'
import { SealedContent } from '../../../core/entry/entry.js'
import { parseStoredEntryId } from '../../../core/entry/entry-id.js'
import { OPERATION_KINDS, type Operation } from '../../../core/ordering/operation.js'
import type { CommitRequest } from '../../contract/history-writer.js'
import type { Acceptance, TransactionJournal } from '../../contract/transaction-journal.js'
import { type DrizzleClient, isAnyOf, millisecondsFromNow } from '../base/drizzle-client.js'
import type { Transaction } from '../base/open-pool.js'
import { acceptance, openTransaction, transition } from '../base/tables.js'

const packr = new Packr({ useRecords: false, variableMapSize: true })

/** Opens the journal. Every statement may run twice, because the client repeats it if a connection breaks. */
export function openPostgresJournal(client: DrizzleClient): TransactionJournal {
  const owner = randomUUID()
  const isOwned = eq(openTransaction.owner, owner)
  return {
    owner,
    async open({ id, operations, notified }, leaseMs) {
      const row = {
        id,
        owner,
        operations: encodeOperations(operations),
        notified: [...notified],
        leaseUntil: millisecondsFromNow(leaseMs),
      }
      // By name, because the operations may be large and would be sent twice otherwise.
      const inserted = {
        operations: sql`excluded.operations`,
        notified: sql`excluded.told`,
        leaseUntil: sql`excluded.lease_until`,
        // Drizzle leaves out keys that it does not know.
      } satisfies Partial<Record<keyof typeof row, SQL>>
      await client.run((database) => {
        const old = database.$with('old').as(database.delete(acceptance).where(eq(acceptance.transaction, id)))
        return database
          .with(old)
          .insert(openTransaction)
          .values(row)
          .onConflictDoUpdate({ target: openTransaction.id, set: inserted, setWhere: isOwned })
      })
    },
    async accept(id, acceptances) {
      const operations = sql.param(acceptances.map(({ operation }) => operation))
      const participants = sql.param(acceptances.map(({ participant }) => participant))
      await client.run((database) =>
        database
          .insert(acceptance)
          .select(
            database
              .select({
                transaction: openTransaction.id,
                operation: sql<number>`accepted.operation`.as('operation'),
                participant: sql<string>`accepted.participant`.as('participant'),
              })
              .from(openTransaction)
              .innerJoin(
                sql`unnest(${operations}::integer[], ${participants}::text[]) AS accepted(operation, participant)`,
                sql`true`,
              )
              .where(and(eq(openTransaction.id, id), isOwned)),
          )
          .onConflictDoNothing(),
      )
    },
    async renew(ids, leaseMs) {
      await client.run((database) =>
        database
          .update(openTransaction)
          .set({ leaseUntil: millisecondsFromNow(leaseMs) })
          .where(and(isAnyOf(openTransaction.id, ids), isOwned)),
      )
    },
    async close(id) {
      await client.run((database) => database.delete(openTransaction).where(and(eq(openTransaction.id, id), isOwned)))
    },
    async claimExpired(leaseMs) {
      const [row] = await client.run((database) => {
        // A gateway that is committing the transaction right now holds its row's lock.
        const expired = database
          .select({ id: openTransaction.id })
          .from(openTransaction)
          .where(lt(openTransaction.leaseUntil, sql`now()`))
          .orderBy(openTransaction.leaseUntil)
          .limit(1)
          .for('update', { skipLocked: true })
        const claimed = database.$with('claimed').as(
          database
            .update(openTransaction)
            .set({ owner, leaseUntil: millisecondsFromNow(leaseMs) })
            .where(eq(openTransaction.id, sql`${expired}`))
            .returning({
              id: openTransaction.id,
              operations: openTransaction.operations,
              notified: openTransaction.notified,
            }),
        )
        const accepted = sql<Acceptance[]>`coalesce((
          SELECT json_agg(json_build_object('operation', ${acceptance.operation}, 'participant', ${acceptance.participant}))
          FROM ${acceptance} WHERE ${acceptance.transaction} = ${claimed.id}), '[]'::json)`
        return database
          .with(claimed)
          .select({ id: claimed.id, operations: claimed.operations, notified: claimed.notified, accepted })
          .from(claimed)
      })
      return row === undefined ? null : { ...row, operations: decodeOperations(row.operations) }
    },
    async revisionOf(id) {
      const [row] = await client.run((database) =>
        database.select({ revision: transition.revision }).from(transition).where(eq(transition.requestId, id)),
      )
      return row?.revision ?? null
    },
  }
}

/** The offered transactions that this gateway still owns. A gateway that claims one waits for the end of this batch. */
export async function ownedTransactions(
  sql: Transaction,
  requests: readonly CommitRequest[],
  owner: string,
): Promise<ReadonlySet<string>> {
  const ids = requests.filter(({ offered }) => offered !== undefined).map(({ id }) => id)
  if (ids.length === 0) return new Set()
  const rows = await sql<
    { id: string }[]
  >`SELECT id FROM open_transaction WHERE id = ANY(${ids}::uuid[]) AND owner = ${owner} FOR SHARE`
  return new Set(rows.map(({ id }) => id))
}

type PackedContent = [kind: string, meta: string, data: string, digest: string] | null

function encodeOperations(operations: readonly Operation[]): Buffer {
  const packed = operations.map(({ kind, id, content, original }) => [
    OPERATION_KINDS.indexOf(kind),
    id,
    packContent(content),
    packContent(original),
  ])
  // A copy: msgpackr returns views of a buffer that it reuses.
  return Buffer.from(packr.pack(packed))
}

function packContent(content: SealedContent | null): PackedContent {
  return content === null ? null : [content.kind, content.metaText, content.dataText, content.digest]
}

function decodeOperations(bytes: Buffer): Operation[] {
  const packed = packr.unpack(bytes) as [number, string, PackedContent, PackedContent][]
  return packed.map(([kind, id, content, original]) => ({
    kind: OPERATION_KINDS[kind]!,
    id: parseStoredEntryId(id),
    content: unpackContent(content),
    original: unpackContent(original),
  }))
}

function unpackContent(packed: PackedContent): SealedContent | null {
  return packed === null ? null : new SealedContent(...packed)
}
