import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { loadConfig } from '../../src/server/config/config.js'
import { startGateway } from '../../src/server/gateway.js'
import { createLog } from '../../src/server/observing/log.js'
import { createTestDatabase } from '../support/test-postgres.js'
import { clientOf, create } from './gateway-fixture.js'

it('rebuilds the dependency index at the start of a gateway with other dependency patterns', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cadastre-patterns-'))
  const database = await createTestDatabase()
  const withPatterns = async <Result>(path: string, work: (client: ReturnType<typeof clientOf>) => Promise<Result>) => {
    writeFileSync(join(folder, 'cadastre.yaml'), `dependencies: [{ path: ${path} }]`)
    const config = loadConfig(
      { CADASTRE_STORE: 'postgres', PORT: '0', CADASTRE_LOG_LEVEL: 'silent', DATABASE_URL: database.url },
      folder,
    )
    const gateway = await startGateway(config, { log: createLog('silent'), playgroundDir: join(folder, 'page') })
    try {
      return await work(clientOf(gateway.endpoint))
    } finally {
      await gateway.close()
    }
  }
  const seen = async (client: ReturnType<typeof clientOf>) => {
    const data = await client.data(
      '{ entry(id: "p:x") { dependents { source } } dependencyGraph(root: "p:x", direction: DEPENDENTS) { nodes { entry { entryId } } } }',
    )
    const tried = await client.data(
      'mutation { applyChangeset(input: {dryRun: true, operations: [{delete: {id: "p:x"}}]}) { ... on Applied { warnings { entryIds } } } }',
    )
    return [
      data.entry.dependents.map(({ source }: any) => source),
      data.dependencyGraph.nodes.map(({ entry }: any) => entry.entryId),
      tried.applyChangeset.warnings.flatMap(({ entryIds }: any) => entryIds),
    ]
  }
  try {
    expect(
      await withPatterns('meta.old', async (client) => {
        await client.apply(create('p:x'), create('p:a', null, { old: 'x' }), create('p:b', null, { new: 'x' }))
        return seen(client)
      }),
    ).toEqual([['p:a'], ['p:x', 'p:a'], ['p:a']])
    expect(await withPatterns('meta.new', seen)).toEqual([['p:b'], ['p:x', 'p:b'], ['p:b']])
    expect(await withPatterns('meta.none', seen)).toEqual([[], ['p:x'], []])
    expect(await withPatterns('meta.old', seen)).toEqual([['p:a'], ['p:x', 'p:a'], ['p:a']])
  } finally {
    await database.drop()
    rmSync(folder, { recursive: true, force: true })
  }
})
