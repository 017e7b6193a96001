import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Gateway } from '../../../src/server/gateway.js'
import { post } from '../../server/server-fixture.js'
import { cli, openGateway } from '../cli-fixture.js'

let gateway: Gateway
beforeAll(async () => {
  gateway = await openGateway()
  await post(
    gateway,
    'mutation { applyChangeset(input: { operations: [{ create: { id: "a:b", kind: "k" } }] }) { __typename } }',
  )
})
afterAll(() => gateway.close())

describe('cadastre instances', () => {
  it('lists the live instances of an entry', async () => {
    expect(await cli(gateway, 'instances', 'a:b')).toEqual({ code: 0, out: 'a:b has no live instances.\n', err: '' })
    const acquired = await post(
      gateway,
      'mutation { acquireInstance(input: { entry: "a:b", name: "worker", ttlSeconds: 60, metadata: { host: "h" } }) { fencingToken } }',
    )
    expect(acquired.body.data).toEqual({ acquireInstance: { fencingToken: 1 } })
    const { code, out } = await cli(gateway, 'instances', 'a:b')
    expect(code).toBe(0)
    expect(out).toMatch(
      /^NAME +TOKEN +ACQUIRED +EXPIRES +METADATA\nworker +1 +\d{4}-\S+Z +\d{4}-\S+Z +\{"host":"h"\}\n$/,
    )
    expect(JSON.parse((await cli(gateway, 'instances', 'a:b', '--json')).out)).toMatchObject([
      { name: 'worker', fencingToken: 1, metadata: { host: 'h' } },
    ])
  })

  it('reports a missing entry and wrong usage by its exit code', async () => {
    expect(await cli(gateway, 'instances', 'a:none')).toMatchObject({
      code: 1,
      err: expect.stringContaining('no entry a:none'),
    })
    expect((await cli(gateway, 'instances', 'no id')).code).not.toBe(0)
    expect((await cli(gateway, 'instances')).code).toBe(2)
  })
})
