import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ORDERS, USERS } from '../../graphql/supergraph/composing-registry.js'
import { testGateway } from '../../server/server-fixture.js'
import { cli } from '../cli-fixture.js'

// The plan deleted the composed supergraph, which only the gateway may write, so the whole changeset was refused.
it('leaves the supergraph of a composed namespace when it prunes', async () => {
  const gateway = await testGateway({}, { compose: { namespaces: ['shop'], onBreaking: 'warn' } })
  const folder = await mkdtemp(join(tmpdir(), 'cadastre-composed-'))
  const write = (...names: string[]) =>
    writeFile(
      join(folder, 'shop.json'),
      JSON.stringify(
        names.map((name) => ({
          id: `shop:${name}`,
          kind: 'graphql.subgraph',
          data: { url: `http://${name}.example/graphql`, sdl: name === 'users' ? USERS : ORDERS },
        })),
      ),
    )
  await write('users', 'orders')
  expect(await cli(gateway, 'apply', folder, '--prune')).toMatchObject({ code: 0, err: '' })
  await write('users')
  const { code, out } = await cli(gateway, 'apply', folder, '--prune')
  expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining('- delete shop:orders') })
  const found = JSON.parse((await cli(gateway, 'find', '--json')).out) as { id: string }[]
  expect(found.map(({ id }) => id).sort()).toEqual(['shop:supergraph', 'shop:users'])
  await rm(folder, { recursive: true })
  await gateway.close()
})
