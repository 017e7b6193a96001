import type { ExtractReferences } from '../../../core/dependency/reference.js'
import type { EntryId } from '../../../core/entry/entry-id.js'
import type { BatchWrites, CommitState } from '../../planning/commit-state.js'
import { ADVANCE_CHANNEL } from '../base/channels.js'
import { idColumns } from '../base/entry-row.js'
import { referenceRows } from '../base/reference-row.js'
import type { Sql, Transaction } from '../base/retrying-client.js'
import { HAS_PARTICIPANTS } from './has-participants.js'

/**
 * Between texts of one parameter. Ids and kinds have no control characters, and JSON texts escape them: so columns go over
 * in one piece, which neither side has to quote or to look through letter by letter.
 */
const SEPARATOR = '\u001f'
const texts = (place: number) => `string_to_array($${place}::text, E'\\x1f', '')`

/** The pointer is moved first, if it is as it was when the batch was planned: whoever takes the lock to change something touches it. */
const pointer = (only: string) => `
  UPDATE head_pointer SET revision = $48::bigint, version = $49::bigint, last_version = $50::bigint, version_digest = $51::text,
    transition_digest = $52::text, entry_count = $53::bigint, moved_at = $18::timestamptz
  WHERE ($54::text IS NULL OR xmin = $54::text::xid) ${only} RETURNING pg_current_xact_id()::xid::text AS stamp`

const CHANGES = `
  SELECT rows.*, meta::jsonb AS meta_index FROM pointer CROSS JOIN unnest(
    ${texts(1)}, ${texts(2)}, $3::bigint[], ${texts(4)}, $5::integer[], $6::integer[], ${texts(7)}, ${texts(8)}, ${texts(9)}, ${texts(10)},
    $11::bigint[], $12::bigint[], $13::boolean[]
  ) AS rows(ns, name, revision, operation, position, delete_position, kind, meta, data, digest, version, previous_revision, stands)`

const VERSION = 'number, parent, revision, author, message, created_at, changeset, digest, created, updated, deleted'
const TRANSITION =
  'revision, kind, from_version, to_version, author, message, created_at, change_count, entry_count, digest, request_id'
const CHANGE =
  'ns, name, revision, operation, position, delete_position, kind, meta, data, digest, version, previous_revision, meta_index'
const HEAD = 'ns, name, revision, version, kind, meta, data, digest, meta_index'
const REFERENCE = 'ns, name, ordinal, path, reference, target_type, target_ns, target_name'
const REPLY = 'author, key, digest, revision, version, created_at'

/**
 * A statement costs 50 to 100 µs between here and the server, whatever it writes, and each way there and back wakes two sleepers:
 * so all tables are written by one. Rows that are replaced are to go before their successors come, hence the counts.
 */
const write = ({ only, knownName }: { readonly only: string; readonly knownName: string }) => `
  WITH pointer AS (${pointer(only)}),
  rows AS MATERIALIZED (${CHANGES}),
  versions AS (
    INSERT INTO version (${VERSION})
    SELECT number, parent, revision, author, message, $18::timestamptz, decode(changeset, 'hex'), digest, created, updated, deleted
    FROM pointer CROSS JOIN unnest($14::bigint[], $15::bigint[], $16::bigint[], $17::text[], $19::text[], ${texts(20)}, ${texts(21)}, $22::integer[], $23::integer[], $24::integer[])
      AS v(number, parent, revision, author, message, changeset, digest, created, updated, deleted)
  ),
  transitions AS (
    INSERT INTO transition (${TRANSITION})
    SELECT revision, kind, from_version, to_version, author, message, $18::timestamptz, change_count, entry_count, digest, request_id
    FROM pointer CROSS JOIN unnest($25::bigint[], ${texts(26)}, $27::bigint[], $28::bigint[], $29::text[], $30::text[], $31::integer[], $32::bigint[], ${texts(33)}, $34::uuid[])
      AS t(revision, kind, from_version, to_version, author, message, change_count, entry_count, digest, request_id)
  ),
  changes AS (INSERT INTO change (${CHANGE}) SELECT ${CHANGE} FROM rows),
  names AS (INSERT INTO entry_name (ns, name) SELECT ns, name FROM rows WHERE operation = 'create' ${knownName}),
  gone AS MATERIALIZED (SELECT DISTINCT ns, name FROM rows WHERE operation <> 'create'),
  old_heads AS (DELETE FROM head t USING gone WHERE t.ns = gone.ns AND t.name = gone.name RETURNING 1),
  old_refs AS (DELETE FROM reference t USING gone WHERE t.ns = gone.ns AND t.name = gone.name RETURNING 1),
  heads AS (INSERT INTO head (${HEAD}) SELECT ${HEAD} FROM rows WHERE stands AND (SELECT count(*) FROM old_heads) >= 0),
  refs AS (
    INSERT INTO reference (${REFERENCE})
    SELECT ${REFERENCE}
    FROM pointer CROSS JOIN unnest(${texts(35)}, ${texts(36)}, $37::integer[], $38::text[], $39::text[], ${texts(40)}, $41::text[], $42::text[])
      AS r(${REFERENCE})
    WHERE (SELECT count(*) FROM old_refs) >= 0
  ),
  replies AS (
    INSERT INTO reply (${REPLY})
    SELECT author, key, digest, revision, version, $18::timestamptz
    FROM pointer CROSS JOIN unnest($43::text[], $44::text[], $45::text[], $46::bigint[], $47::bigint[]) AS r(author, key, digest, revision, version)
  )
  SELECT 'written' AS outcome, stamp, pg_notify('${ADVANCE_CHANNEL}', '') FROM pointer`

const WRITE = write({ only: '', knownName: 'ON CONFLICT DO NOTHING' })
/** A name that is known already fails the statement, as a key does under which a reply is kept. */
const WRITE_UNREAD = write({ only: `AND NOT ($55::boolean AND ${HAS_PARTICIPANTS})`, knownName: '' })

interface Written {
  /** The pointer's from then on. */
  readonly stamp: string
}

/**
 * Writes a batch that is not large down, all of it or, where `stamp` is not the pointer's any more, nothing: null then. With a
 * stamp it needs no transaction around it; null is for who holds the lock. Sent at once, so that what is sent after it comes after it.
 */
export function writeBatch(
  sql: Sql | Transaction,
  writes: BatchWrites,
  stamp: string | null,
  standing: CommitState,
  references: ExtractReferences,
): Promise<Written | null> {
  return sql
    .unsafe<Written[]>(WRITE, parametersOf(writes, stamp, standing, references) as never[], { prepare: true })
    .then(([row]) => row ?? null)
}

/**
 * Writes a batch for whose ids nobody has looked: nothing, too, where `unattended` is asked for and somebody takes part.
 * @throws PostgresError unique_violation where one of the ids, or a reply's key, has been there before; nothing is written then
 */
export function writeBatchOptimistically(
  sql: Sql,
  writes: BatchWrites,
  stamp: string,
  standing: CommitState,
  references: ExtractReferences,
  unattended: boolean,
): Promise<Written | null> {
  const parameters = [...parametersOf(writes, stamp, standing, references), unattended]
  return sql.unsafe<Written[]>(WRITE_UNREAD, parameters as never[], { prepare: true }).then(([row]) => row ?? null)
}

function parametersOf(
  writes: BatchWrites,
  stamp: string | null,
  standing: CommitState,
  references: ExtractReferences,
): unknown[] {
  return [
    ...changeColumns(writes),
    ...versionColumns(writes, standing.now),
    ...transitionColumns(writes),
    ...referenceColumns(writes, standing, references),
    ...replyColumns(writes),
    standing.head.revision,
    standing.head.version,
    standing.lastVersion,
    standing.versionDigest,
    standing.transitionDigest,
    standing.entryCount,
    stamp,
  ]
}

/** A text that is null, or empty, is null there. */
function joined(column: readonly (string | null)[]): string {
  return column.length === 1 ? (column[0] ?? '') : column.join(SEPARATOR)
}

/** An array's text: the driver would quote and escape each number. */
function numbers(column: readonly (number | boolean | null)[]): string {
  return `{${column.map(String).join(',')}}`
}

function changeColumns({ changes }: BatchWrites): unknown[] {
  const { ns, name } = idColumns(changes.map(({ id }) => id))
  const last = new Map<EntryId, number>()
  for (const [i, { id }] of changes.entries()) last.set(id, i)
  return [
    joined(ns),
    joined(name),
    numbers(changes.map(({ revision }) => revision)),
    joined(changes.map(({ operation }) => operation)),
    numbers(changes.map(({ position }) => position)),
    numbers(changes.map(({ deletePosition }) => deletePosition)),
    joined(changes.map(({ content }) => content?.kind ?? null)),
    joined(changes.map(({ content }) => content?.metaText ?? null)),
    joined(changes.map(({ content }) => content?.dataText ?? null)),
    joined(changes.map(({ content }) => content?.digest ?? null)),
    numbers(changes.map(({ version }) => version)),
    numbers(changes.map(({ previousRevision }) => previousRevision)),
    numbers(changes.map(({ id, content }, i) => content !== null && last.get(id) === i)),
  ]
}

function versionColumns({ versions }: BatchWrites, now: Date): unknown[] {
  return [
    numbers(versions.map(({ number }) => number)),
    numbers(versions.map(({ parent }) => parent)),
    numbers(versions.map(({ revision }) => revision)),
    versions.map(({ author }) => author),
    now.toISOString(),
    versions.map(({ message }) => message),
    joined(
      versions.map(({ changeset }) =>
        Buffer.from(changeset.buffer, changeset.byteOffset, changeset.byteLength).toString('hex'),
      ),
    ),
    joined(versions.map(({ digest }) => digest)),
    numbers(versions.map(({ created }) => created)),
    numbers(versions.map(({ updated }) => updated)),
    numbers(versions.map(({ deleted }) => deleted)),
  ]
}

function transitionColumns({ transitions }: BatchWrites): unknown[] {
  return [
    numbers(transitions.map(({ revision }) => revision)),
    joined(transitions.map(({ kind }) => kind)),
    numbers(transitions.map(({ from }) => from)),
    numbers(transitions.map(({ to }) => to)),
    transitions.map(({ author }) => author),
    transitions.map(({ message }) => message),
    numbers(transitions.map(({ changeCount }) => changeCount)),
    numbers(transitions.map(({ entryCount }) => entryCount)),
    joined(transitions.map(({ digest }) => digest)),
    `{${transitions.map(({ requestId }) => requestId).join(',')}}`,
  ]
}

function referenceColumns(
  { changes }: BatchWrites,
  { entries }: CommitState,
  references: ExtractReferences,
): unknown[] {
  const rows = [...new Set(changes.map(({ id }) => id))].flatMap((id) => {
    const entry = entries.get(id)
    return entry === undefined ? [] : referenceRows(id, references(id, entry.content))
  })
  // Paths are of keys, references of texts and groups' names of both: these may hold anything.
  return [
    joined(rows.map(({ ns }) => ns)),
    joined(rows.map(({ name }) => name)),
    numbers(rows.map(({ ordinal }) => ordinal)),
    rows.map(({ path }) => path),
    rows.map(({ reference }) => reference),
    joined(rows.map((row) => row.target_type)),
    rows.map((row) => row.target_ns),
    rows.map((row) => row.target_name),
  ]
}

function replyColumns({ replies }: BatchWrites): unknown[] {
  return [
    replies.map(({ author }) => author),
    replies.map(({ key }) => key),
    replies.map(({ digest }) => digest),
    numbers(replies.map(({ revision }) => revision)),
    numbers(replies.map(({ version }) => version)),
  ]
}
