import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { post } from '../server/server-fixture.js'
import { createTestDatabase, type TestDatabase } from '../support/test-postgres.js'
import { type GatewayProcess, type GatewayProcesses, gatewayProcesses } from './gateway-process.js'

const ENTRIES = 60
const data = 'x'.repeat(1_000_000)

// An answer of 54 MB ended a gateway with a heap of 96 MB.
describe('a gateway with a heap of 96 MB over entries of 60 MB', () => {
  let processes: GatewayProcesses
  let database: TestDatabase
  let gateway: GatewayProcess
  beforeAll(async () => {
    processes = await gatewayProcesses()
    database = await createTestDatabase()
    gateway = await processes.start({
      DATABASE_URL: database.url,
      CADASTRE_STORE: 'postgres',
      NODE_OPTIONS: '--max-old-space-size=96',
    })
    const apply = 'mutation ($input: ApplyChangesetInput!) { applyChangeset(input: $input) { __typename } }'
    for (let n = 0; n < ENTRIES; n++) {
      const operations = [{ create: { id: `a:e${n}`, kind: n % 2 === 0 ? 'even' : 'odd', data } }]
      await post(gateway, apply, { input: { operations } })
    }
  })
  afterAll(async () => {
    await processes.remove()
    await database.drop()
  })

  it.each([
    ['the head', 'entries(first: N) { nodes { data } }'],
    ['the ids alone', 'entries(first: N) { nodes { id } }'],
    ['the head by revision', 'entries(first: N, orderBy: REVISION_DESC) { nodes { data } }'],
    ['an old snapshot', 'snapshot(at: { revision: 55 }) { entries(first: N) { nodes { data } } }'],
    [
      'an old snapshot by kind',
      'snapshot(at: { revision: 55 }) { entries(first: N, where: { kind: { regex: "e" } }) { nodes { data } } }',
    ],
  ])('refuses pages that are too large, and goes on: %s', async (_, list) => {
    for (const first of [100, 100, 2]) {
      const { body } = await post(gateway, `{ ${list.replace('N', String(first))} }`)
      if (first === 2) expect(body.errors).toBeUndefined()
      else expect(body.errors![0]!.extensions['code']).toBe('TOO_LARGE')
    }
    expect(gateway.child.exitCode).toBeNull()
  })

  it('matches row by row, however large the candidates are together', async () => {
    const where = 'where: { kind: { regex: "^(?:odd)$" }, name: { regex: "9$" } }'
    const { body } = await post(gateway, `{ entries(${where}, first: 2) { totalCount nodes { name } } }`)
    expect(body.data).toEqual({ entries: { totalCount: 6, nodes: [{ name: 'e19' }, { name: 'e29' }] } })
  })

  it('sends an answer of 10 MB', async () => {
    const { body } = await post(gateway, '{ entries(first: 10) { nodes { data } } }')
    expect(body.data!['entries'].nodes.every((node: { data: string }) => node.data === data)).toBe(true)
  })
})
