import { type AddressInfo, connect, createServer } from 'node:net'
import postgres from 'postgres'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EVERYTHING } from '../../../../src/core/criteria/criteria.js'
import type { EntryId } from '../../../../src/core/entry/entry-id.js'
import type { History } from '../../../../src/store/contract/history.js'
import type { CommitOutcome } from '../../../../src/store/contract/history-writer.js'
import { openPostgresHistory } from '../../../../src/store/postgres/postgres-history.js'
import {
  apply,
  changeset,
  commitAll,
  commitOne,
  create,
  expectApplied,
  historyOptions,
  problemCodes,
  remove,
  update,
} from '../../../support/commit-requests.js'
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../../../support/test-postgres.js'

describe('several gateways on one database', () => {
  let database: TestDatabase
  const opened: History[] = []
  const open = async (referencesFingerprint = 'default') => {
    const history = await openPostgresHistory({
      ...historyOptions,
      referencesFingerprint,
      databaseUrl: database.url,
      backend: 'postgres',
      connections: 2,
    })
    opened.push(history)
    return history
  }

  beforeEach(async () => {
    database = await createTestDatabase()
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((history) => history.close()))
    await database.drop()
  })

  it('start ten at the same time on an empty database and are one registry', async () => {
    await database.drop()
    database = await createEmptyDatabase()
    const gateways = await Promise.all(Array.from({ length: 10 }, () => open()))
    expect(new Set(gateways.map(({ registryId }) => registryId)).size).toBe(1)
    await Promise.all(gateways.map((gateway, i) => apply(gateway, create(`a:${i}`))))
    expect(await gateways[3]!.head()).toEqual({ revision: 10, version: 10 })
    expect((await gateways[0]!.verify()).corruptions).toEqual([])
  })

  it('apply one of many requests that expect the same head', async () => {
    const [one, two] = await Promise.all([open(), open()])
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        commitOne(i % 2 ? one! : two!, changeset([create(`a:${i}`)], { expectedHead: 0 })),
      ),
    )
    expect(outcomes.filter(({ type }) => type === 'applied')).toHaveLength(1)
    expect(outcomes.filter(({ type }) => type === 'refused').flatMap(problemCodes)).toEqual(
      Array(19).fill('HEAD_MOVED'),
    )
  })

  it('lose no increment that names the revision it read', async () => {
    const gateways = await Promise.all([open(), open()])
    await apply(gateways[0]!, create('a:counter', 'thing', {}, 0))
    const increment = async (gateway: History): Promise<void> => {
      for (;;) {
        const {
          items: [entry],
          revision,
        } = await gateway.findEntries(
          EVERYTHING,
          'ID_ASC',
          { limit: 1, after: null, before: null, fromEnd: false },
          'head',
        )
        const request = changeset([update('a:counter', 'thing', {}, (entry!.content.data as number) + 1)], {
          base: revision,
        })
        if ((await commitOne(gateway, request)).type === 'applied') return
      }
    }
    await Promise.all(Array.from({ length: 20 }, (_, i) => increment(gateways[i % 2]!)))
    const entry = [
      ...(
        await gateways[0]!.findEntries(
          EVERYTHING,
          'ID_ASC',
          { limit: 1, after: null, before: null, fromEnd: false },
          'head',
        )
      ).items,
    ][0]
    expect(entry!.content.data).toBe(20)
  })

  it('apply one request of many with the same idempotency key and replay it to the others', async () => {
    const gateways = await Promise.all([open(), open()])
    for (let round = 1; round <= 15; round++) {
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          commitOne(
            gateways[i % 2]!,
            changeset([create(`a:${round}`)], { idempotency: { key: `k${round}`, digest: 'd' } }),
          ),
        ),
      )
      const applied = outcomes.map((outcome: CommitOutcome) => expectApplied(outcome))
      expect(applied.filter(({ replayed }) => !replayed)).toHaveLength(1)
      expect(new Set(applied.map(({ revision }) => revision))).toEqual(new Set([round]))
    }
  })

  it('are notified of each other although their listening connections are cut again and again', async () => {
    const [writer, listener] = await Promise.all([open(), open()])
    const admin = postgres(database.url, { max: 1 })
    let seen = 0
    let reading = Promise.resolve()
    listener!.onAdvance(() => {
      reading = reading.then(async () => {
        const page = await listener!.log({ revision: seen, position: Infinity }, 1_000)
        seen = Math.max(seen, page.upTo.revision)
      })
    })
    try {
      for (let i = 0; i < 30; i++) {
        if (i % 3 === 0)
          await admin`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cadastre listener' AND datname = current_database()`
        await apply(writer!, create(`a:${i}`))
      }
      await expect.poll(() => seen).toBe(30)
    } finally {
      await admin.end()
    }
  })

  it('index references again if the patterns have changed', async () => {
    const first = await open()
    await apply(first, create('a:x'), create('a:y', 'thing', { depends_on: ['x'] }))
    const admin = postgres(database.url, { max: 1 })
    await admin`DELETE FROM reference`
    await admin.end()
    expect((await first.verify()).corruptions).toHaveLength(1)
    const second = await open('other patterns')
    expect((await second.verify()).corruptions).toEqual([])
  })

  it('try again if the server ends the connection during a commit', async () => {
    const gateway = await open()
    const admin = postgres(database.url, { max: 1 })
    await admin`CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$`
    await admin`CREATE CONSTRAINT TRIGGER die AFTER INSERT ON version DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()`
    const committing = commitOne(gateway, changeset([create('a:x')]))
    await new Promise((resolve) => setTimeout(resolve, 500))
    await admin`DROP TRIGGER die ON version`
    expect(expectApplied(await committing).revision).toBe(1)
    expect(await gateway.head()).toEqual({ revision: 1, version: 1 })
    await admin.end()
  })

  it('find a lost outcome by the id of its request and apply nothing twice', async () => {
    const proxy = await proxyTo(database.url)
    const gateway = await openPostgresHistory({
      ...historyOptions,
      databaseUrl: proxy.url,
      backend: 'postgres',
      connections: 2,
    })
    try {
      for (let i = 1; i <= 6; i++) {
        // A delete is written under the lock and then committed; other changesets are one statement, sometimes without a read.
        const deletes = i % 3 === 0
        proxy.cutInPlaceOf(deletes ? 'COMMIT\0' : 'written')
        const one = () => changeset([create(`a:${i}`), ...(deletes ? [remove(`a:${i - 1}`)] : [])])
        const outcomes = await commitAll(gateway, [one(), one()])
        expect(outcomes.map(problemCodes)).toEqual([
          [],
          deletes ? ['ENTRY_EXISTS', 'ENTRY_NOT_FOUND'] : ['ENTRY_EXISTS'],
        ])
        expect(await gateway.head()).toEqual({ revision: i, version: i })
      }
      expect(proxy.cuts()).toBe(6)
      expect((await gateway.verify()).corruptions).toEqual([])
    } finally {
      await gateway.close()
      await proxy.close()
    }
  })

  it('create new entries and update their own recent ones without reading first, and read before anything else', async () => {
    const proxy = await proxyTo(database.url)
    const gateway = await openPostgresHistory({
      ...historyOptions,
      databaseUrl: proxy.url,
      backend: 'postgres',
      connections: 2,
    })
    const asked = async (...operations: Parameters<typeof apply>[1][]) => {
      const before = proxy.asked()
      await apply(gateway, ...operations)
      return proxy.asked() - before
    }
    try {
      await apply(await open(), create('b:another'))
      await apply(gateway, create('a:first'))
      // A statement is prepared when it is sent for the first time.
      await apply(gateway, create('a:second'))
      expect(await asked(create('a:1'))).toBe(1)
      expect(await asked(create('a:2'), create('a:3'))).toBe(1)
      expect(await asked(update('a:1'))).toBe(1)
      expect(await asked(update('a:1', 'thing', {}, 2), update('a:first'))).toBe(1)
      expect(await asked(update('b:another'))).toBe(2)
      expect(await asked(update('b:another', 'thing', {}, 2), create('a:4'))).toBe(1)
      expect(await asked(remove('a:4'))).toBeGreaterThan(2)
      expect(await asked(update('a:1', 'thing', {}, 3))).toBe(2)
      expect((await gateway.verify()).corruptions).toEqual([])
    } finally {
      await gateway.close()
      await proxy.close()
    }
  })

  it('recognize an id that existed before, without reading first', async () => {
    const gateway = await open()
    for (const id of ['a:1', 'a:2', 'a:3']) await apply(gateway, create(id))
    expect(problemCodes(await commitOne(gateway, changeset([create('a:new'), create('a:2')])))).toEqual([
      'ENTRY_EXISTS',
    ])
    await apply(gateway, remove('a:2'))
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    await apply(gateway, create('a:4'))
    await apply(gateway, create('a:2', 'thing', {}, 'again'))
    const revisions = (
      await gateway.entryHistories(['a:2' as EntryId], { limit: 10, after: null, before: null, fromEnd: false })
    ).get('a:2' as EntryId)
    expect(revisions!.items.map(({ content }) => content.data)).toEqual(['again', null])
    expect((await gateway.verify()).corruptions).toEqual([])
  })

  it('refuse by the current state, not by the one they left', async () => {
    const [one, two] = await Promise.all([open(), open()])
    await apply(one!, create('a:1'))
    await apply(one!, create('a:2'))
    await apply(two!, create('b:1'))
    expect(problemCodes(await commitOne(one!, changeset([create('a:3')], { expectedHead: 2 })))).toEqual(['HEAD_MOVED'])
    await apply(two!, create('b:2'))
    expectApplied(await commitOne(one!, changeset([create('a:3')], { expectedHead: 4 })))
    await apply(one!, create('a:4'))
    await apply(two!, create('b:3'))
    expect(problemCodes(await commitOne(one!, changeset([create('b:3')])))).toEqual(['ENTRY_EXISTS'])
    expect((await one!.verify()).corruptions).toEqual([])
  })

  it('update the current entry, not the one they wrote before', async () => {
    const [one, two] = await Promise.all([open(), open()])
    for (const id of ['a:1', 'a:2']) await apply(one!, create(id))
    await apply(two!, update('a:1', 'thing', {}, 'by two'))
    expect(problemCodes(await commitOne(one!, changeset([update('a:1', 'thing', {}, 'by one', 1)])))).toEqual([
      'CONFLICT',
    ])
    await apply(one!, update('a:2'))
    const { delta } = expectApplied(await commitOne(one!, changeset([update('a:1', 'thing', {}, 'by one', 3)])))
    expect(delta[0]!.original!.data).toBe('by two')
    expect((await one!.verify()).corruptions).toEqual([])
  })

  it('replay an idempotency key without reading first', async () => {
    const gateway = await open()
    const once = () => changeset([create('a:1')], { idempotency: { key: 'k', digest: 'd' } })
    for (const id of ['a:x', 'a:y']) await apply(gateway, create(id))
    expect(expectApplied(await commitOne(gateway, once()))).toMatchObject({ revision: 3, replayed: false })
    expect(expectApplied(await commitOne(gateway, once()))).toMatchObject({ revision: 3, replayed: true })
    expect(await gateway.head()).toEqual({ revision: 3, version: 3 })
  })

  it('notice a participant that has joined, without reading first', async () => {
    const [one, two] = await Promise.all([open(), open()])
    for (const id of ['a:1', 'a:2'])
      expectApplied(await commitOne(one!, changeset([create(id)], { expectsNoParticipants: true })))
    const leave = await two!.exchange.takePart(
      { name: 'p', kinds: ['**'], onFailure: 'refuse' },
      { receive() {}, lost() {} },
    )
    expect(await commitOne(one!, changeset([create('a:3')], { expectsNoParticipants: true }))).toMatchObject({
      type: 'refused',
      stale: 'joined',
    })
    expect(await one!.head()).toEqual({ revision: 2, version: 2 })
    await leave()
  })

  it('report an unknown outcome if the answer is lost and so is the query for it', async () => {
    const proxy = await proxyTo(database.url)
    const gateway = await openPostgresHistory({
      ...historyOptions,
      databaseUrl: proxy.url,
      backend: 'postgres',
      connections: 2,
    })
    const admin = postgres(database.url, { max: 2 })
    try {
      proxy.cutInPlaceOf('written')
      proxy.lock()
      const committing = commitOne(gateway, changeset([create('a:x')])).catch((error: unknown) => error)
      while (proxy.cuts() === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      await admin.begin(async (sql) => {
        await sql`SELECT FROM head_pointer FOR UPDATE`
        proxy.unlock()
        const cancelled = () => admin`
          SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`
        while ((await cancelled()).length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
        expect(await committing).toMatchObject({ code: 'OUTCOME_UNKNOWN' })
      })
      expect(await gateway.head()).toEqual({ revision: 1, version: 1 })
    } finally {
      await admin.end()
      await gateway.close()
      await proxy.close()
    }
  })

  it('write nothing by a statement that arrives after its connection was lost', async () => {
    const proxy = await proxyTo(database.url)
    const other = await open()
    const gateway = await openPostgresHistory({
      ...historyOptions,
      databaseUrl: proxy.url,
      backend: 'postgres',
      connections: 2,
    })
    try {
      await commitOne(gateway, changeset([create('a:first')]))
      const applied = proxy.holdBack('late-and-applied')
      const again = commitOne(gateway, changeset([create('a:x', 'thing', { note: 'late-and-applied' })]))
      await applied.held
      applied.cut()
      expect(expectApplied(await again).revision).toBe(2)
      await applied.release()

      // The second attempt writes nothing because a participant has joined: the head stays where the first attempt expects it.
      const refused = proxy.holdBack('late-and-refused')
      const attended = commitOne(
        gateway,
        changeset([create('a:y', 'thing', { note: 'late-and-refused' })], { expectsNoParticipants: true }),
      )
      await refused.held
      const leave = await other.exchange.takePart(
        { name: 'p', kinds: ['**'], onFailure: 'refuse' },
        { receive() {}, lost() {} },
      )
      refused.cut()
      expect(await attended).toMatchObject({ type: 'refused', stale: 'joined' })
      await refused.release()
      expect(await other.head()).toEqual({ revision: 2, version: 2 })
      expect((await other.verify()).corruptions).toEqual([])
      await leave()
    } finally {
      await gateway.close()
      await proxy.close()
    }
  })

  it('plan again if references were indexed while the statement waited', async () => {
    const gateway = await open()
    await apply(gateway, create('a:x'))
    const admin = postgres(database.url, { max: 2 })
    let writing: Promise<unknown> = Promise.resolve()
    // As a gateway with other patterns does at its start: the head stays where it is.
    await admin.begin(async (sql) => {
      await sql`UPDATE head_pointer SET references_fingerprint = 'others'`
      await sql`INSERT INTO reference VALUES ('a', 'x', 9, 'data.old', 'b:y', 'entry', 'b', 'y')`
      writing = apply(gateway, update('a:x', 'thing', {}, 1))
      const isWaiting = () =>
        admin`SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`
      while ((await isWaiting()).length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    })
    await writing
    expect((await gateway.verify()).corruptions).toEqual([])
    await admin.end()
  })

  it('both make progress while both write without a pause', async () => {
    const gateways = await Promise.all([open(), open()])
    const written = [0, 0]
    await Promise.all(
      gateways.map(async (gateway, g) => {
        while (written[0]! + written[1]! < 200) {
          await apply(gateway, create(`g${g}:${written[g]}`))
          written[g]! += 1
        }
      }),
    )
    expect(Math.min(...written)).toBeGreaterThan(20)
    expect((await gateways[0]!.verify()).corruptions).toEqual([])
  })
})

/** Opens a proxy to the server that can lose or delay messages. */
async function proxyTo(databaseUrl: string) {
  const target = new URL(databaseUrl)
  let cutAt: string | null = null
  let cuts = 0
  let asked = 0
  let isLocking = false
  let hold: { readonly text: string; caught(cut: () => void, send: () => Promise<void>): void } | null = null
  const server = createServer((client) => {
    // Only after the cut: the answer to be cut needs a connection.
    if (isLocking && cuts > 0) return void client.on('error', () => {}).destroy()
    const upstream = connect(Number(target.port), target.hostname)
    let isDelayed = false
    client.on('data', (chunk) => {
      asked += 1
      if (hold === null || !chunk.toString('latin1').includes(hold.text)) return void upstream.write(chunk)
      isDelayed = true
      hold.caught(
        () => client.destroy(),
        async () => {
          const heard = new Promise((resolve) => upstream.once('data', resolve))
          upstream.write(chunk)
          await heard
          upstream.destroy()
        },
      )
      hold = null
    })
    upstream.on('data', (chunk) => {
      if (cutAt === null || !chunk.toString('latin1').includes(cutAt)) return void client.write(chunk)
      cutAt = null
      cuts++
      client.destroy()
    })
    for (const socket of [client, upstream]) {
      socket.on('error', () => {})
      socket.on('close', () => {
        client.destroy()
        if (!isDelayed) upstream.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = new URL(databaseUrl)
  url.port = String((server.address() as AddressInfo).port)
  return {
    url: url.href,
    /** Cuts the connection instead of sending the answer that contains this text. */
    cutInPlaceOf: (text: string) => {
      cutAt = text
    },
    cuts: () => cuts,
    /** Number of chunks that clients have sent: one for each statement. */
    asked: () => asked,
    /** Accepts no connection from the first cut on, until `unlock`. */
    lock: () => {
      isLocking = true
    },
    unlock: () => {
      isLocking = false
    },
    /** Delays the statement that contains this text: `cut` ends the sender's connection, `release` delivers the statement. */
    holdBack(text: string) {
      let cut = () => {}
      let release = async () => {}
      const held = new Promise<void>((resolve) => {
        hold = {
          text,
          caught: (cutClient, send) => {
            cut = cutClient
            release = send
            resolve()
          },
        }
      })
      return { held, cut: () => cut(), release: () => release() }
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  }
}
