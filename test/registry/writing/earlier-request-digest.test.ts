import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Registry } from '../../../src/registry/registry.js'
import type { RawOperation } from '../../../src/registry/writing/write-input.js'
import { openMemoryHistory } from '../../../src/store/memory/memory-history.js'
import { create, HISTORY_OPTIONS, historyWith, registryOver } from '../registry-fixture.js'

const nobody = { author: null }
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

/** Lines as version 0.1.0 hashed them. */
const CHANGESET =
  '{"base":null,"dryRun":false,"expectedHead":null,"message":null,"mutation":"applyChangeset"}\n' +
  '{"data":7,"entryKind":"test.thing","force":false,"id":"a:1","ifRevision":null,"kind":"CREATE","meta":{"n":1}}\n'
const VERSION =
  '{"dryRun":false,"expectedHead":null,"force":false,"message":null,"mutation":"applyVersion","version":0}\n'
const REVERT = '{"dryRun":false,"expectedHead":null,"message":null,"mutation":"revertVersion","version":1}\n'

/** A registry whose replies are stored as the previous release stored them, and one of this release over the same store. */
function acrossAnUpgrade(line: string): { before: Registry; after: Registry } {
  const history = openMemoryHistory(HISTORY_OPTIONS)
  const earlier = historyWith(history, {
    commit: (requests) =>
      history.commit(
        requests.map((request) =>
          request.idempotency === null
            ? request
            : { ...request, idempotency: { key: request.idempotency.key, digest: sha256(line) } },
        ),
      ),
  })
  return { before: registryOver(earlier), after: registryOver(history) }
}

describe('an idempotency key that the previous release stored', () => {
  const operations = [create('a:1', { n: 1 }, 7)]
  const idempotencyKey = 'k'

  it('replays a changeset, and refuses another one', async () => {
    const { before, after } = acrossAnUpgrade(CHANGESET)
    expect(await before.applyChangeset({ operations, idempotencyKey }, nobody)).toMatchObject({ replayed: false })
    expect(await after.applyChangeset({ operations, idempotencyKey }, nobody)).toMatchObject({ replayed: true })
    const other = { operations: [create('a:1', { n: 2 }, 7)], idempotencyKey }
    expect(await after.applyChangeset(other, nobody)).toMatchObject({ problems: [{ code: 'IDEMPOTENCY_KEY_REUSED' }] })
  })

  /** Different ways to write one entry. The first release hashed them as they were sent. */
  const WAYS = ['caf\u00e9', 'cafe\u0301'].flatMap((name) =>
    [`a:${name}`, { ns: 'a', name }].flatMap((id) =>
      [{}, { meta: null }, { meta: {} }].map(
        (meta) => ({ kind: 'CREATE', id, entryKind: 'k', ...meta, data: 7 }) as const,
      ),
    ),
  )
  const lineOf = ({ id, meta = null }: { readonly id: unknown; readonly meta?: unknown }) =>
    `{"data":7,"entryKind":"k","force":false,"id":${JSON.stringify(sorted(id))},"ifRevision":null,"kind":"CREATE","meta":${JSON.stringify(meta)}}\n`
  const sorted = (id: any) => (typeof id === 'string' ? id : { name: id.name, ns: id.ns })
  const header = CHANGESET.slice(0, CHANGESET.indexOf('\n') + 1)

  it('replays a changeset whose ids and empty contents are written in another way', async () => {
    for (const stored of WAYS) {
      for (const repeated of WAYS) {
        const { before, after } = acrossAnUpgrade(header + lineOf(stored))
        await before.applyChangeset({ operations: [stored], idempotencyKey }, nobody)
        expect([
          stored,
          repeated,
          await after.applyChangeset({ operations: [repeated], idempotencyKey }, nobody),
        ]).toMatchObject([stored, repeated, { replayed: true }])
      }
    }
  })

  it('replays two operations, each written in its own way, and not in another order', async () => {
    const other = { ...WAYS[3]!, id: { ns: 'b', name: 'x' } }
    const { before, after } = acrossAnUpgrade(header + lineOf(WAYS[0]!) + lineOf(other))
    await before.applyChangeset({ operations: [WAYS[0]!, other], idempotencyKey }, nobody)
    const text = { ...other, id: 'b:x' }
    const repeat = (...operations: RawOperation[]) => after.applyChangeset({ operations, idempotencyKey }, nobody)
    expect(await repeat(WAYS[9]!, text)).toMatchObject({ replayed: true })
    expect(await repeat(text, WAYS[0]!)).toMatchObject({ problems: [{ code: 'IDEMPOTENCY_KEY_REUSED' }] })
  })

  it('replays many operations whose ids are all written in another way', async () => {
    const ids = Array.from({ length: 5_000 }, (_, n) => `n${n}`)
    const texts = ids.map((name) => ({ ...WAYS[0]!, id: `a:${name}` }))
    const { before, after } = acrossAnUpgrade(header + texts.map(lineOf).join(''))
    await before.applyChangeset({ operations: texts, idempotencyKey }, nobody)
    const operations = ids.map((name) => ({ ...WAYS[0]!, id: { ns: 'a', name } }))
    expect(await after.applyChangeset({ operations, idempotencyKey }, nobody)).toMatchObject({ replayed: true })
  })

  it('replays a move to a version', async () => {
    const { before, after } = acrossAnUpgrade(VERSION)
    await before.applyChangeset({ operations }, nobody)
    expect(await before.applyVersion({ version: 0, idempotencyKey }, nobody)).toMatchObject({ replayed: false })
    expect(await after.applyVersion({ version: 0, idempotencyKey }, nobody)).toMatchObject({ replayed: true })
  })

  it('replays the revert of a version', async () => {
    const { before, after } = acrossAnUpgrade(REVERT)
    await before.applyChangeset({ operations }, nobody)
    expect(await before.revertVersion({ version: 1, idempotencyKey }, nobody)).toMatchObject({ replayed: false })
    expect(await after.revertVersion({ version: 1, idempotencyKey }, nobody)).toMatchObject({ replayed: true })
  })
})
