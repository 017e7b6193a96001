import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type GatewayProcess, type GatewayProcesses, gatewayProcesses } from '../process/gateway-process.js'
import { createTestDatabase, type TestDatabase } from '../support/test-postgres.js'
import { type Batch, CHANGES, type Folded, fold } from './following-client.js'
import { applyVersion, ask, batchOf, create, foundAt, remove, untilSynced, update, write } from './following-fixture.js'
import { type OpenStream, openStream, TRANSPORTS } from './following-stream.js'

const many = (ns: string, count: number, meta: object = {}, data: unknown = null) =>
  Array.from({ length: count }, (_, i) => create(`${ns}:${String(i).padStart(5, '0')}`, meta, data))
const summary = ({ changes }: Batch) => changes.map(({ kind, entryId }) => `${kind} ${entryId}`).sort()

describe.each(TRANSPORTS)('following changes over %s, with two gateways on one database', (transport) => {
  let database: TestDatabase
  let processes: GatewayProcesses
  let one: GatewayProcess
  let two: GatewayProcess
  const open: OpenStream[] = []
  const environment = () => ({ CADASTRE_STORE: 'postgres', DATABASE_URL: database.url })
  const follow = (gateway: GatewayProcess, variables: object = {}) => {
    const stream = openStream(transport, gateway.endpoint, CHANGES, variables)
    open.push(stream)
    return stream
  }
  const folded = (batches: readonly Batch[], state: Folded = new Map()) => {
    for (const batch of batches) expect(fold(state, batch)).toEqual([])
    return state
  }
  const head = async () =>
    (await ask(two.endpoint, '{ entries(first: 1) { revision } }')).data.entries.revision as number

  beforeAll(async () => {
    ;[database, processes] = await Promise.all([createTestDatabase(), gatewayProcesses()])
    ;[one, two] = await Promise.all([processes.start(environment()), processes.start(environment())])
  })
  afterAll(async () => {
    for (const stream of open) stream.cut()
    await processes.remove()
    await database.drop()
  })

  it('begins at the head with one empty synced batch, then sends what either gateway writes', async () => {
    const { revision } = await write(two.endpoint, create('begin:1'))
    const stream = follow(one)
    expect(await batchOf(stream)).toMatchObject({ revision, changes: [], complete: true, synced: true })
    await expect(stream.next(200)).rejects.toThrow('No result')
    for (const gateway of [two, one]) {
      const written = await write(gateway.endpoint, update('begin:1', { by: gateway.url }))
      expect(await batchOf(stream)).toMatchObject({
        revision: written.revision,
        version: { number: written.version },
        synced: true,
        complete: true,
      })
    }
  })

  it('Synced: writes that either gateway acknowledged before the stream began come before `synced`', async () => {
    const before = (await batchOf(follow(one))).cursor
    for (let i = 0; i < 10; i++) {
      const [writer, other] = i % 2 === 0 ? [one, two] : [two, one]
      const { revision } = await write(writer.endpoint, create(`synced:${i}`, { i }))
      for (const variables of [
        { initial: true },
        { after: before },
        { after: before, find: { i } },
        { initial: true, find: { i } },
      ]) {
        const batches = await untilSynced(follow(other, variables))
        expect(batches.at(-1)!.revision).toBe(revision)
        expect(batches.flatMap(summary)).toContain(`CREATE synced:${i}`)
      }
    }
  })

  it('Atomic: 1,200 operations of one revision come in several batches, and only the last is complete', async () => {
    const streams = [follow(one), follow(two, { find: { '.ns': 'large' } })]
    for (const stream of streams) await untilSynced(stream)
    const { revision } = await write(one.endpoint, ...many('large', 1_200))
    const next = await write(two.endpoint, create('large:after'))
    for (const stream of streams) {
      const batches = [await batchOf(stream)]
      while (!batches.at(-1)!.complete) batches.push(await batchOf(stream))
      expect(batches.length).toBeGreaterThan(2)
      expect(new Set(batches.map((batch) => batch.revision))).toEqual(new Set([revision]))
      expect(new Set(batches.flatMap(summary)).size).toBe(1_200)
      expect(await batchOf(stream)).toMatchObject({ revision: next.revision, complete: true })
    }
  })

  it('Resumable: resumes after every batch of a revision, on the other gateway, with a filter too', async () => {
    const start = (await batchOf(follow(one))).cursor
    const changed = await write(
      one.endpoint,
      ...many('large', 1_200).map(({ create: { id } }, i) => update(id, { odd: i % 2 === 1 })),
    )
    await write(two.endpoint, remove('large:00001'))
    for (const filter of [{}, { find: { odd: true } }]) {
      const whole = await untilSynced(follow(one, { ...filter, after: start }))
      expect(whole.filter(({ complete }) => !complete).length).toBeGreaterThan(0)
      expect(whole[0]!.revision).toBe(changed.revision)
      for (const [i, { cursor }] of whole.entries()) {
        const rest = await untilSynced(follow(two, { ...filter, after: cursor, initial: true }))
        expect(rest.flatMap(summary)).toHaveLength(whole.slice(i + 1).flatMap(summary).length)
        expect(rest.flatMap(({ changes }) => changes)).toEqual(whole.slice(i + 1).flatMap(({ changes }) => changes))
      }
    }
  })

  it('sends `initial` as pages of one revision while the head moves, then `synced`, and resumes within the pages', async () => {
    await write(one.endpoint, ...many('pages', 2_500, {}, 'x'.repeat(500)))
    const find = { '.ns': 'pages' }
    const stream = follow(one, { initial: true, find })
    const first = await batchOf(stream)
    expect(first).toMatchObject({ complete: false, synced: false })
    await write(
      two.endpoint,
      remove('pages:00000'),
      remove('pages:02499'),
      update('pages:01000', { late: true }),
      create('pages:1'),
    )
    const rest = await untilSynced(stream)
    const [revision] = new Set([first, ...rest].map((batch) => batch.revision))
    expect(rest.every((batch) => batch.revision === revision)).toBe(true)
    const state = folded([first, ...rest])
    expect(state).toEqual(await foundAt(two.endpoint, revision!, { find }))
    folded([await batchOf(stream)], state)
    expect(state).toEqual(await foundAt(two.endpoint, await head(), { find }))
    for (const cut of [0, Math.floor(rest.length / 2), rest.length - 1]) {
      const taken = [first, ...rest.slice(0, cut)]
      const resumed = await untilSynced(follow(two, { find, after: taken.at(-1)!.cursor, initial: true }))
      expect(resumed.at(-1)!.revision).toBe(await head())
      expect(folded([...taken, ...resumed])).toEqual(state)
    }
  })

  it('ignores `initial` if `after` is set', async () => {
    const { cursor } = await batchOf(follow(one))
    const { revision } = await write(one.endpoint, create('wins:1'))
    const batches = await untilSynced(follow(two, { after: cursor, initial: true }))
    expect(batches.map(summary)).toEqual([['CREATE wins:1']])
    expect(batches[0]!.revision).toBe(revision)
  })

  it('Filtered: an entry that starts to match is a CREATE and one that stops is a DELETE, also by rollbacks and replacements', async () => {
    const stream = follow(two, { find: { color: 'red', '.ns': 'view' } })
    await untilSynced(stream)
    const { version } = await write(
      one.endpoint,
      create('view:1', { color: 'red' }),
      create('view:2', { color: 'blue' }),
    )
    expect(summary(await batchOf(stream))).toEqual(['CREATE view:1'])
    await write(one.endpoint, update('view:1', { color: 'blue' }), update('view:2', { color: 'red' }))
    expect(summary(await batchOf(stream))).toEqual(['CREATE view:2', 'DELETE view:1'])
    await applyVersion([two.endpoint], version)
    expect(summary(await batchOf(stream))).toEqual(['CREATE view:1', 'DELETE view:2'])
    await write(two.endpoint, remove('view:1'), create('view:1', { color: 'red' }, 1, 'another'))
    expect(summary(await batchOf(stream))).toEqual(['CREATE view:1', 'DELETE view:1'])
    await write(two.endpoint, remove('view:1'), create('view:1', { color: 'red' }, 2, 'another'))
    expect(summary(await batchOf(stream))).toEqual(['UPDATE view:1'])
  })

  it('Filtered: an empty batch moves the cursor past changes that do not match', async () => {
    const stream = follow(one, { find: { '.ns': 'nobody' } })
    await untilSynced(stream)
    const written = await write(two.endpoint, create('passed:1'))
    const passed = await batchOf(stream)
    expect(passed).toMatchObject({
      revision: written.revision,
      version: { number: written.version },
      changes: [],
      complete: true,
      synced: true,
    })
    const after = await untilSynced(follow(two, { after: passed.cursor, find: { '.ns': 'nobody' } }))
    expect(after).toHaveLength(1)
  })

  it('sends one entry as it is now and after each change, null while it does not exist', async () => {
    const stream = openStream(transport, one.endpoint, 'subscription { entry(id: "one:1") { kind revision meta } }')
    open.push(stream)
    const shown = async () => (await stream.next())!.data.entry
    expect(await shown()).toBeNull()
    for (const [operations, seen] of [
      [[create('one:1', { n: 1 })], { kind: 'thing', meta: { n: 1 } }],
      [[create('one:2')], undefined],
      [[update('one:1', { n: 2 })], { kind: 'thing', meta: { n: 2 } }],
      [[remove('one:1')], null],
      [[create('one:1', { n: 3 })], { meta: { n: 3 } }],
      [[remove('one:1'), create('one:1', { n: 4 }, null, 'other')], { kind: 'other', meta: { n: 4 } }],
    ] as const) {
      const { revision } = await write(two.endpoint, ...operations)
      if (seen === null) expect(await shown()).toBeNull()
      else if (seen !== undefined) expect(await shown()).toMatchObject({ ...seen, revision })
    }
  })

  it('refuses cursors that are invalid, from the future or from another registry', async () => {
    const { cursor } = await batchOf(follow(one))
    const [format, phase, registry, revision, place] = Buffer.from(cursor, 'base64url').toString().split(' ') as [
      string,
      string,
      string,
      string,
      string,
    ]
    const written = (...fields: unknown[]) => Buffer.from(fields.join(' ')).toString('base64url')
    const other = await processes.start()
    const foreign = (await batchOf(follow(other))).cursor
    for (const after of [
      '',
      'x',
      '☃',
      '../..',
      cursor + cursor,
      cursor.slice(0, -6),
      'A'.repeat(100_000),
      foreign,
      written(format, phase, registry, Number(revision) + 1, place),
      written(format, phase, registry, '9'.repeat(16), place),
      written(format, phase, registry, -1, place),
      written(format, 'i', registry, Number(revision) + 1, ''),
      written(format, 'i', registry, revision, '\0'),
      written(format, 'l', registry, revision, '1e9'),
      written(2, phase, registry, revision, place),
    ]) {
      const result = await follow(two, { after, initial: true }).next()
      expect(result?.errors?.[0]?.extensions['code'], `${after.slice(0, 90)} ${JSON.stringify(result)}`).toBe(
        'INVALID_CURSOR',
      )
    }
    for (const find of [{ '.nothing': 1 }, { '~meta.name': '(' }]) {
      const result = await follow(two, { find }).next()
      expect(result?.errors?.[0]?.extensions['code']).toBe('INVALID_CRITERIA')
    }
  })

  it('Resumable: resumes after both gateways were killed with SIGKILL', async () => {
    const stream = follow(one, { find: { '.ns': 'killed' } })
    const { cursor } = (await untilSynced(stream)).at(-1)!
    await write(two.endpoint, create('killed:1'))
    for (const { child, exited } of [one, two]) {
      child.kill('SIGKILL')
      await exited
    }
    expect(await stream.next().then((result) => result === null || result.data !== undefined)).toBe(true)
    ;[one, two] = await Promise.all([processes.start(environment()), processes.start(environment())])
    await write(one.endpoint, create('killed:2'))
    const batches = await untilSynced(follow(two, { after: cursor, find: { '.ns': 'killed' } }))
    expect(batches.flatMap(summary)).toEqual(['CREATE killed:1', 'CREATE killed:2'])
  })
})
