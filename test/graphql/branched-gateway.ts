import { APPLY_VERSION, create, type Gateway, openGateway, remove, update } from './schema-fixture.js'

/**
 * Opens a gateway with a small branched history.
 *
 *   v0 ── v1 ── v2            revision  0   1   2   3   4
 *          └─── v3            head      v0  v1  v2  v1  v3
 */
export async function openBranchedGateway(): Promise<Gateway> {
  const gateway = openGateway()
  await gateway.apply(
    create('app:db', { groups: ['stores'], 'dotted.key': 1, a: { b: [true] } }, { host: 'localhost' }, 'db.sql'),
    create(
      'app:api',
      { depends_on: ['app:db', 'db', 'app:gone', 'group:stores', 'ns:lib'] },
      { imports: { log: 'lib:log' } },
      'http.api',
    ),
    create('lib:log', { server: 'lib:log' }, null, 'library.lua'),
    create('lib:net', {}, null, 'library.lua'),
  )
  await gateway.apply(
    update('app:db', { groups: [] }, { host: 'remote' }, 'db.sql'),
    remove('lib:net'),
    create('app:web', {}, null, 'http.api'),
  )
  await gateway.data(APPLY_VERSION, { input: { version: 1, message: 'back' } })
  await gateway.apply(update('app:api', { depends_on: ['app:db'] }, { n: 3 }, 'http.api'))
  return gateway
}
