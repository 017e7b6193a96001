import { randomUUID } from 'node:crypto'
import { Packr } from 'msgpackr'
import { SealedContent } from '../../../core/entry/entry.js'
import { parseEntryId } from '../../../core/entry/entry-id.js'
import { OPERATION_KINDS, type Operation } from '../../../core/ordering/operation.js'
import type { Acceptance, TransactionJournal } from '../../contract/transaction-journal.js'
import type { RetryingClient } from '../base/retrying-client.js'

const packr = new Packr({ useRecords: false, variableMapSize: true })

/** Every statement here may be sent twice, as a read may be: the client tries again where a connection broke. */
export function openPostgresJournal(client: RetryingClient): TransactionJournal {
  const owner = randomUUID()
  return {
    owner,
    async open({ id, operations, notified: told }, leaseMs) {
      const encoded = encodeOperations(operations)
      await client.run(
        (sql) => sql`
        WITH gone AS (DELETE FROM acceptance WHERE transaction = ${id})
        INSERT INTO open_transaction (id, owner, lease_until, operations, told)
        VALUES (${id}, ${owner}, now() + ${`${leaseMs} milliseconds`}::interval, ${encoded}, ${[...told]}::text[])
        ON CONFLICT (id) DO UPDATE SET operations = excluded.operations, told = excluded.told, lease_until = excluded.lease_until
        WHERE open_transaction.owner = ${owner}`,
      )
    },
    async accept(id, acceptances) {
      const places = acceptances.map(({ operation }) => operation)
      const names = acceptances.map(({ participant }) => participant)
      await client.run(
        (sql) => sql`
        INSERT INTO acceptance (transaction, operation, participant)
        SELECT open_transaction.id, accepted.operation, accepted.participant
        FROM open_transaction, unnest(${places}::integer[], ${names}::text[]) AS accepted(operation, participant)
        WHERE open_transaction.id = ${id} AND open_transaction.owner = ${owner}
        ON CONFLICT DO NOTHING`,
      )
    },
    async renew(ids, leaseMs) {
      await client.run(
        (sql) => sql`
        UPDATE open_transaction SET lease_until = now() + ${`${leaseMs} milliseconds`}::interval
        WHERE id = ANY(${[...ids]}::uuid[]) AND owner = ${owner}`,
      )
    },
    async close(id) {
      await client.run((sql) => sql`DELETE FROM open_transaction WHERE id = ${id} AND owner = ${owner}`)
    },
    async claimExpired(leaseMs) {
      // Where its owner commits it at this moment, the row is locked until it has.
      const [row] = await client.run(
        (sql) => sql<{ id: string; operations: Buffer; told: string[]; accepted: Acceptance[] }[]>`
        WITH taken AS (
          UPDATE open_transaction SET owner = ${owner}, lease_until = now() + ${`${leaseMs} milliseconds`}::interval
          WHERE id = (SELECT id FROM open_transaction WHERE lease_until < now() ORDER BY lease_until LIMIT 1 FOR UPDATE SKIP LOCKED)
          RETURNING id, operations, told
        )
        SELECT taken.*, coalesce((
          SELECT json_agg(json_build_object('operation', a.operation, 'participant', a.participant))
          FROM acceptance a WHERE a.transaction = taken.id
        ), '[]'::json) AS accepted FROM taken`,
      )
      if (row === undefined) return null
      const { id, told: notified, accepted, operations } = row
      return { id, notified, accepted, operations: decodeOperations(operations) }
    },
    async revisionOf(id) {
      const [row] = await client.run(
        (sql) => sql<{ revision: number }[]>`SELECT revision FROM transition WHERE request_id = ${id}`,
      )
      return row?.revision ?? null
    },
  }
}

type PackedContent = [kind: string, meta: string, data: string, digest: string] | null

function encodeOperations(operations: readonly Operation[]): Buffer {
  const packed = operations.map(({ kind, id, content, original }) => [
    OPERATION_KINDS.indexOf(kind),
    id,
    packContent(content),
    packContent(original),
  ])
  // A copy: msgpackr hands out views of a buffer that it goes on to use.
  return Buffer.from(packr.pack(packed))
}

function packContent(content: SealedContent | null): PackedContent {
  return content === null ? null : [content.kind, content.metaText, content.dataText, content.digest]
}

function decodeOperations(bytes: Buffer): Operation[] {
  const packed = packr.unpack(bytes) as [number, string, PackedContent, PackedContent][]
  return packed.map(([kind, id, content, original]) => ({
    kind: OPERATION_KINDS[kind]!,
    id: parseEntryId(id),
    content: unpackContent(content),
    original: unpackContent(original),
  }))
}

function unpackContent(packed: PackedContent): SealedContent | null {
  return packed === null ? null : new SealedContent(...packed)
}
