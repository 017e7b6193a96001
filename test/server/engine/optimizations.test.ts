import { afterAll, describe, expect, it } from 'vitest'
import { ALL_OPTIMIZATIONS, OPTIMIZATION_NAMES } from '../../../src/store/contract/optimizations.js'
import { APPLY, FOLLOW, post, SocketClient, type TestGateway, testGateway } from '../server-fixture.js'

describe('a gateway without an optimization', () => {
  const gateways: TestGateway[] = []
  afterAll(() => Promise.all(gateways.map((gateway) => gateway.close())))

  it.each([...OPTIMIZATION_NAMES])('behaves the same without %s', async (name) => {
    const gateway = await testGateway({}, { optimizations: { ...ALL_OPTIMIZATIONS, [name]: false } })
    gateways.push(gateway)
    const sockets = await Promise.all([1, 2].map(() => new SocketClient(gateway.endpoint).init()))
    for (const socket of sockets) {
      socket.subscribe('s', FOLLOW)
      await socket.next(({ payload }) => payload?.data.changes.synced)
    }
    for (const data of [1, 2]) {
      const operation = data === 1 ? 'create' : 'update'
      const input = { operations: [{ [operation]: { id: 'a:1', kind: 'k', data } }] }
      expect((await post(gateway, APPLY, { input })).body.data!['applyChangeset'].__typename).toBe('Applied')
      for (let i = 0; i < 3; i++) {
        const { body } = await post(gateway, '{ entry(id: "a:1") { id data } }')
        expect(body).toEqual({ data: { entry: { id: expect.any(String), data } } })
      }
      const messages = await Promise.all(
        sockets.map((socket) => socket.next(({ payload }) => payload?.data.changes.changes.length > 0)),
      )
      for (const { payload } of messages) expect(payload.data.changes.changes[0].entryId).toBe('a:1')
    }
    expect((await post(gateway, '{ nothing }')).body.errors![0]!.extensions['code']).toBe('GRAPHQL_VALIDATION_FAILED')
    for (const socket of sockets) socket.close()
  })
})
