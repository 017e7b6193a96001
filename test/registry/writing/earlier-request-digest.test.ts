import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Registry } from '../../../src/registry/registry.js'
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
