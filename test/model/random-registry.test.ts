import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EVERYTHING } from '../../src/core/criteria/criteria.js'
import type { EntryRevision } from '../../src/core/entry/entry.js'
import { type EntryId, parseEntryId } from '../../src/core/entry/entry-id.js'
import type { Operation } from '../../src/core/ordering/operation.js'
import type { History } from '../../src/store/contract/history.js'
import type { Page } from '../../src/store/contract/history-reader.js'
import type { CommitOutcome, CommitRequest } from '../../src/store/contract/history-writer.js'
import { openMemoryHistory } from '../../src/store/memory/memory-history.js'
import { openPostgresHistory } from '../../src/store/postgres/postgres-history.js'
import {
  changeset,
  commitAll,
  create,
  historyOptions,
  remove,
  revertOf,
  update,
  versionMove,
} from '../support/commit-requests.js'
import { createTestDatabase } from '../support/test-postgres.js'

/*
 * Sends random valid and invalid requests in random batches to one of two stores on a database, and to the store in
 * memory, which has plain lists. Both must give the same answers to every query.
 */

const IDS = ['a:x', 'a:y', 'b:x', 'b:\u{1F600}', 'a.b:x:y'].map(parseEntryId)
const KINDS = ['thing', 'other']

const id = fc.constantFrom(...IDS)
const kind = fc.constantFrom(...KINDS)
const meta = fc
  .record(
    {
      n: fc.integer({ min: 0, max: 3 }),
      groups: fc.constantFrom(undefined, ['g'], ['g', 'h']),
      depends_on: fc.constantFrom(undefined, ['x'], ['ns:a', 'b:x'], ['group:g'], [':nothing']),
    },
    { requiredKeys: [] },
  )
  .map((value) => JSON.parse(JSON.stringify(value)) as unknown)

const operation = fc.oneof(
  // Mostly new entries, which are written without reading them first.
  { weight: 2, arbitrary: fc.tuple(fc.nat({ max: 99 }), meta).map(([n, value]) => create(`new:${n}`, 'thing', value)) },
  fc.tuple(id, kind, meta).map(([entry, entryKind, value]) => create(entry, entryKind, value)),
  fc.tuple(id, kind, meta).map(([entry, entryKind, value]) => update(entry, entryKind, value)),
  id.map((entry) => remove(entry)),
)
type Step =
  | {
      type: 'changeset'
      operations: readonly ReturnType<typeof remove>[]
      base: number | null
      key: string | null
      dryRun: boolean
    }
  | { type: 'version'; version: number }
  | { type: 'revert'; version: number }
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('changeset' as const),
      operations: fc.array(operation, { minLength: 1, maxLength: 4 }),
      base: fc.option(fc.integer({ min: 0, max: 12 }), { freq: 4 }),
      key: fc.option(fc.constantFrom('k1', 'k2'), { freq: 4 }),
      dryRun: fc.constantFrom(false, false, true),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('revert' as const), version: fc.integer({ min: 0, max: 8 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('version' as const), version: fc.integer({ min: 0, max: 8 }) }),
  },
)
/** A tag that is set or deleted after a batch. */
const tagging = fc.record({
  name: fc.constantFrom('t1', 't2', 'T'),
  version: fc.integer({ min: 0, max: 6 }),
  movable: fc.constantFrom(null, true, true, false),
  expectedVersion: fc.option(fc.integer({ min: 0, max: 6 }), { freq: 4 }),
  away: fc.constantFrom(false, false, false, true),
  force: fc.boolean(),
})
type Tagging = typeof tagging extends fc.Arbitrary<infer Value> ? Value : never
const compaction = fc.option(
  fc.record({ before: fc.integer({ min: -1, max: 14 }), dryRun: fc.constantFrom(false, false, true) }),
  { freq: 2 },
)
const batches = fc.array(
  fc.tuple(
    fc.array(step, { minLength: 1, maxLength: 4 }),
    fc.array(tagging, { maxLength: 2 }),
    compaction,
    fc.nat({ max: 1 }),
  ),
  { minLength: 1, maxLength: 8 },
)

const compacted = (history: History, request: { before: number; dryRun: boolean }): Promise<unknown> =>
  history.compact(request).catch((error: { code: string; details: unknown }) => [error.code, error.details])

async function tagOutcome(history: History, { away, force, ...tag }: Tagging): Promise<unknown> {
  try {
    const { createdAt: _, ...outcome } = await (away
      ? history.deleteTag(tag.name, force)
      : history.setTag({ ...tag, author: 'ann' }))
    return outcome
  } catch (error) {
    return (error as { code: string }).code
  }
}

function requestOf(step: Step): CommitRequest {
  if (step.type === 'revert') return revertOf(step.version)
  if (step.type === 'version') return versionMove(step.version)
  const digest = JSON.stringify(
    step.operations.map(({ kind: type, id: entry, content }) => [type, entry, content?.digest]),
  )
  return changeset(step.operations, {
    base: step.base,
    dryRun: step.dryRun,
    idempotency: step.key === null ? null : { key: step.key, digest },
  })
}

const all = <Position>(): Page<Position> => ({ limit: 1_000, after: null, before: null, fromEnd: false })
const shownEntry = ({ id: entry, content, revision, version }: EntryRevision) => [
  entry,
  content.kind,
  content.metaText,
  content.digest,
  revision,
  version,
]
const shownOperation = ({ kind: type, id: entry, content, original }: Operation) => [
  type,
  entry,
  content?.digest,
  original?.digest,
]
const shownOutcome = (outcome: CommitOutcome) =>
  outcome.type === 'refused'
    ? outcome.problems.map(({ code, operation: index, entryId, current }) => [
        code,
        index,
        entryId,
        current && shownEntry(current),
      ])
    : [outcome.revision, outcome.head.version, outcome.replayed, outcome.delta.map(shownOperation)]

/** The answers to all queries of a history, as plain values. */
async function everything(history: History): Promise<unknown> {
  const head = await history.head()
  const oldest = await history.oldestRevision()
  const every = Array.from({ length: head.revision + 1 }, (_, revision) => revision)
  const revisions = every.slice(oldest)
  const lastVersion = (await history.versionCount()) - 1
  const versions = Array.from({ length: lastVersion + 1 }, (_, number) => number)
  const groups = await history.entriesInGroups(['g', 'h'], all())
  const log = await history.log({ revision: oldest, position: oldest === 0 ? Infinity : 0 }, 10_000)
  const perRevision = await Promise.all(
    [...revisions, 'head' as const].map(async (at) => ({
      states: await Promise.all(
        (['ID_ASC', 'REVISION_DESC'] as const).map(async (order) =>
          (await history.findEntries(EVERYTHING, order, all(), at)).items.map(shownEntry),
        ),
      ),
      count: await history.entryCount(at),
      namespaces: await history.namespaces(at),
      some: [...(await history.entries(IDS.slice(0, 2), at)).values()].map(shownEntry).sort(),
      things: await history.countEntries({ field: { root: 'kind' }, test: { operator: 'equals', value: 'thing' } }, at),
    })),
  )
  return {
    head,
    oldest,
    lastVersion,
    perRevision,
    changes: [...(await history.changesOf(every, all()))].map(([revision, { items }]) => [
      revision,
      items.map(({ position, previous }) => [position, previous?.revision]),
    ]),
    revisions: [
      ...(
        await history.entryRevisions(every.flatMap((revision) => IDS.map((entry) => ({ id: entry, revision }))))
      ).keys(),
    ].sort(),
    versions: [...(await history.versions(versions)).values()]
      .sort((a, b) => a.number - b.number)
      .map(({ number, parent, revision, created, updated, deleted }) => [
        number,
        parent,
        revision,
        created,
        updated,
        deleted,
      ]),
    lineages: await Promise.all(versions.map((number) => history.lineage(number))),
    transitions: (await history.transitionPage(all())).items.map(({ revision, kind: type, from, to, changeCount }) => [
      revision,
      type,
      from,
      to,
      changeCount,
    ]),
    log: log.changes.map(({ revision, position, kind: type, id: entry, entry: after, previous }) => [
      revision,
      position,
      type,
      entry,
      after && shownEntry(after),
      previous && shownEntry(previous),
    ]),
    histories: [...(await history.entryHistories(IDS, all()))].map(([entry, page]) => [
      entry,
      page.items.map(shownEntry),
    ]),
    historyCounts: [...(await history.entryHistoryCounts(IDS))],
    deltas: await Promise.all(
      revisions.map(async (revision) => [
        (await history.delta(revision, head.revision)).map(shownOperation),
        (await history.delta(head.revision, revision)).map(shownOperation),
      ]),
    ),
    dependents: [...(await history.dependents(IDS, all()))].map(([entry, { items: rows }]) => [
      entry,
      rows.map((row) => JSON.stringify(row)).sort(),
    ]),
    groups: [...groups].map(([group, { items: entries }]) => [
      group,
      entries.map(({ id: entry }: { id: EntryId }) => entry),
    ]),
    tags: (await history.tagPage(all())).items.map(({ name, version, movable, author }) => [
      name,
      version,
      movable,
      author,
    ]),
    tagsOf: [...(await history.tagsOf(versions))].map(([version, tags]) => [version, tags.map(({ name }) => name)]),
    namespaces: await Promise.all(
      ['a', 'b', 'a.b'].map(async (namespace) => [
        (await history.namespaceChanges(namespace, all())).items.map(
          ({ revision, position, kind: type, id: entry }) => [revision, position, type, entry],
        ),
        (
          await history.namespaceChanges(namespace, {
            limit: 2,
            after: { revision: 3, position: 1 },
            before: null,
            fromEnd: false,
          })
        ).items.length,
        await history.namespaceChangeCount(namespace),
      ]),
    ),
    corruptions: (await history.verify()).corruptions,
  }
}

describe('a random registry', () => {
  it('gives the same answers from the database as from memory', { timeout: 600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(batches, async (sent) => {
        const fresh = await createTestDatabase()
        const open = () =>
          openPostgresHistory({ ...historyOptions, databaseUrl: fresh.url, backend: 'postgres', connections: 4 })
        const gateways = [await open(), await open()]
        const model = openMemoryHistory(historyOptions)
        try {
          for (const [batch, tags, compaction, which] of sent) {
            const stored = gateways[which]!
            const requests = batch.map(requestOf)
            const [given, expected] = [await commitAll(stored, requests), await commitAll(model, requests)]
            expect(given.map(shownOutcome)).toEqual(expected.map(shownOutcome))
            for (const tag of tags) expect(await tagOutcome(stored, tag)).toEqual(await tagOutcome(model, tag))
            if (compaction !== null)
              expect(await compacted(stored, compaction)).toEqual(await compacted(model, compaction))
          }
          expect(await everything(gateways[0]!)).toEqual(await everything(model))
        } finally {
          await Promise.all(gateways.map((gateway) => gateway.close()))
          await fresh.drop()
        }
      }),
      { numRuns: 40 },
    )
  })
})
