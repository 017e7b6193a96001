import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { post, type Reachable } from '../server/server-fixture.js'
import { createTestDatabase, type TestDatabase } from '../support/test-postgres.js'
import { type GatewayProcess, type GatewayProcesses, gatewayProcesses } from './gateway-process.js'

const READS = 'this gateway reads the source'

/** Returns all entries by id. */
async function entries(gateway: Reachable): Promise<Record<string, unknown>> {
  const { body } = await post(gateway, '{ entries(first: 1000) { nodes { entryId data } } }')
  return Object.fromEntries(body.data!['entries'].nodes.map(({ entryId, data }: any) => [entryId, data]))
}

async function stateOf(gateway: Reachable): Promise<any> {
  return (await post(gateway, '{ source(name: "app") { status loaded failed reloadCount entries { totalCount } } }'))
    .body.data!['source']
}

describe('gateways that read a folder', () => {
  let database: TestDatabase
  let processes: GatewayProcesses
  let folder: string
  const write = (name: string, ...definitions: [name: string, data: unknown][]) => {
    const text = JSON.stringify(definitions.map(([id, data]) => ({ id: `app:${id}`, kind: 'test.thing', data })))
    writeFileSync(join(folder, 'registry', `.${name}`), text)
    renameSync(join(folder, 'registry', `.${name}`), join(folder, 'registry', name))
  }
  const start = () =>
    processes.start({
      CADASTRE_STORE: 'postgres',
      DATABASE_URL: database.url,
      CADASTRE_CONFIG: join(folder, 'cadastre.yaml'),
    })
  const holderOf = (gateways: readonly GatewayProcess[]) => gateways.find(({ said }) => said.err.includes(READS))

  beforeAll(async () => {
    database = await createTestDatabase()
    processes = await gatewayProcesses()
    folder = mkdtempSync(join(tmpdir(), 'cadastre-source-'))
    mkdirSync(join(folder, 'registry'))
    writeFileSync(
      join(folder, 'cadastre.yaml'),
      'sources:\n  - { name: app, provider: filesystem, path: ./registry, form: entry }\n',
    )
  })
  afterAll(async () => {
    await processes.remove()
    await database.drop()
    rmSync(folder, { recursive: true })
  })

  it('replace a killed reader and write nothing twice', async () => {
    write('a.json', ['a', 1], ['b', 1])
    const gateways = await Promise.all([start(), start()])
    await expect
      .poll(() => stateOf(gateways[0]!), { timeout: 60_000 })
      .toMatchObject({ status: 'WATCHING', loaded: 2, reloadCount: expect.any(Number) })
    const holder = holderOf(gateways)!
    const other = gateways.find((each) => each !== holder)!
    expect(other.said.err).not.toContain(READS)

    holder.child.kill('SIGKILL')
    await holder.exited
    write('a.json', ['a', 2], ['b', 1])
    write('c.json', ['c', 1])
    await expect
      .poll(() => entries(other), { timeout: 60_000, interval: 200 })
      .toEqual({ 'app:a': 2, 'app:b': 1, 'app:c': 1 })
    expect(other.said.err).toContain(READS)
    await expect
      .poll(() => stateOf(other), { timeout: 60_000 })
      .toMatchObject({ status: 'WATCHING', loaded: 3, entries: { totalCount: 3 } })
    const { body } = await post(other, '{ transitions { nodes { revision changes { nodes { entryId } } } } }')
    expect(body.data!['transitions'].nodes.map((each: any) => each.changes.nodes.length)).toEqual([2, 2])
    other.child.kill('SIGTERM')
    expect(await other.exited).toBe(0)
  })

  it('replace a paused reader, which spoils nothing when it continues', async () => {
    write('a.json', ['a', 2], ['b', 1])
    write('c.json', ['c', 1])
    const gateways = await Promise.all([start(), start()])
    await expect.poll(() => holderOf(gateways) !== undefined, { timeout: 60_000 }).toBe(true)
    const holder = holderOf(gateways)!
    const other = gateways.find((each) => each !== holder)!
    await expect.poll(() => stateOf(other), { timeout: 60_000 }).toMatchObject({ status: 'WATCHING', loaded: 3 })

    // During a burst, so that it finds work when it continues.
    write('c.json', ['c', 2])
    await new Promise((resolve) => setTimeout(resolve, 100))
    holder.child.kill('SIGSTOP')
    try {
      write('d.json', ['d', 1])
      await expect
        .poll(() => entries(other), { timeout: 60_000, interval: 200 })
        .toEqual({ 'app:a': 2, 'app:b': 1, 'app:c': 2, 'app:d': 1 })
      expect(other.said.err).toContain(READS)
      write('c.json', ['c', 3])
      await expect.poll(async () => (await entries(other))['app:c'], { timeout: 60_000 }).toBe(3)
    } finally {
      holder.child.kill('SIGCONT')
    }
    await expect
      .poll(() => holder.said.err.includes('this gateway no longer reads the source'), { timeout: 60_000 })
      .toBe(true)
    write('d.json', ['d', 2])
    await expect
      .poll(() => entries(holder), { timeout: 60_000 })
      .toEqual({ 'app:a': 2, 'app:b': 1, 'app:c': 3, 'app:d': 2 })
    const { body } = await post(
      other,
      '{ transitions(first: 100) { nodes { revision changes { nodes { entryId entry { data } } } } } }',
    )
    const written = body.data!['transitions'].nodes.flatMap(({ changes }: any) =>
      changes.nodes.map(({ entryId, entry }: any) => `${entryId} ${entry?.data}`),
    )
    expect(new Set(written).size).toBe(written.length)
    for (const gateway of gateways) {
      gateway.child.kill('SIGTERM')
      expect(await gateway.exited).toBe(0)
    }
    for (const name of ['c.json', 'd.json']) rmSync(join(folder, 'registry', name))
    write('c.json', ['c', 1])
  }, 180_000)

  it('leave nothing half-written when they are killed repeatedly', async () => {
    for (let round = 0; round < 6; round++) {
      for (let n = 0; n < 40; n++) write(`x${n}.json`, [`x${n}`, round])
      const gateway = await start()
      // Between the first read and the last record, at a different moment in each round.
      await new Promise((resolve) => setTimeout(resolve, round * 150))
      gateway.child.kill('SIGKILL')
      await gateway.exited
    }
    for (let n = 0; n < 40; n++) if (n % 2 === 0) rmSync(join(folder, 'registry', `x${n}.json`))
    const last = await start()
    const wanted = {
      'app:a': 2,
      'app:b': 1,
      'app:c': 1,
      ...Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`app:x${2 * i + 1}`, 5])),
    }
    await expect.poll(() => entries(last), { timeout: 60_000, interval: 200 }).toEqual(wanted)
    await expect
      .poll(() => stateOf(last), { timeout: 60_000 })
      .toMatchObject({ status: 'WATCHING', loaded: 23, failed: 0, entries: { totalCount: 23 } })
    const exited = last.exited
    last.child.kill('SIGTERM')
    expect(await exited).toBe(0)
  }, 180_000)
})
