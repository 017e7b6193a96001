import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from './following-fixture.js'
import { BACKENDS_WITH_HISTORY, create, startTestGateway, type TestGateway, update } from './gateway-fixture.js'

const NODE = `query ($id: ID!) { node(id: $id) { __typename id
  ... on Source { name provider } ... on Provider { role name } ... on Instance { name entryId metadata fencingToken } } }`
const NODES = 'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }'

describe.each([...BACKENDS_WITH_HISTORY, 'none'] as const)('nodes of a gateway over %s', (backend) => {
  const folder = mkdtempSync(join(tmpdir(), 'cadastre-nodes-'))
  let gateway: TestGateway
  beforeAll(async () => {
    writeFileSync(join(folder, 'a.yaml'), 'namespace: app\nentries: [{ name: db, kind: store }]\n')
    gateway = await startTestGateway(
      backend,
      `sources: [{ name: app, provider: filesystem, path: ${JSON.stringify(folder)} }]`,
    )
    await until(
      'the source is loaded',
      async () => (await gateway.data('{ entry(id: "app:db") { id } }')).entry !== null,
    )
    await gateway.apply(create('a:x'))
  })
  afterAll(async () => {
    await gateway.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const node = async (id: string) => (await gateway.data(NODE, { id })).node

  it('are found by their ids: sources and providers', async () => {
    expect(await node('source/app')).toMatchObject({ __typename: 'Source', name: 'app', provider: 'filesystem' })
    const { providers, sources } = await gateway.data('{ providers { id role name } sources { id } }')
    expect(sources).toEqual([{ id: 'source/app' }])
    expect(providers.length).toBeGreaterThan(2)
    for (const provider of providers) expect(await node(provider.id)).toEqual({ __typename: 'Provider', ...provider })
  })

  it('are found by their ids: instances, as long as they live', async () => {
    const input = { entry: 'a:x', name: 'one', ttlSeconds: 60, metadata: { host: 'h' } }
    const { acquireInstance } = await gateway.data(
      'mutation ($input: AcquireInstanceInput!) { acquireInstance(input: $input) { __typename id name entryId metadata fencingToken } }',
      { input },
    )
    const { id } = acquireInstance
    expect(id).toMatch(/^[^:/]+$/)
    expect(await node(id)).toEqual(acquireInstance)
    const { entry, nodes } = await gateway.data(
      'query ($ids: [ID!]!) { entry(id: "a:x") { instances { id } } nodes(ids: $ids) { id __typename } }',
      { ids: [id, 'a:x', '00000000-0000-4000-8000-000000000000', id] },
    )
    expect(entry.instances).toEqual([{ id }])
    const found = { id, __typename: 'Instance' }
    expect(nodes).toEqual([found, { id: 'a:x', __typename: 'Entry' }, null, found])
    expect(await node(id.toUpperCase())).toBeNull()
    await gateway.data('mutation ($id: ID!) { releaseInstance(id: $id) }', { id })
    expect(await node(id)).toBeNull()
  })

  it('are found by every id that an object of theirs has', async () => {
    const { entries, currentVersion, snapshot, transitions, versions } = await gateway.data(
      '{ entries { nodes { id } } currentVersion { id } snapshot { id entries { nodes { id } } } transitions { nodes { id } } versions { nodes { id } } }',
    )
    const ids = [
      ...entries.nodes,
      currentVersion,
      snapshot,
      ...snapshot.entries.nodes,
      ...transitions.nodes,
      ...versions.nodes,
    ].map(({ id }: any) => id)
    const { nodes } = await gateway.data(NODES, { ids })
    expect(nodes.map(({ id }: any) => id)).toEqual(ids)
  })

  if (backend === 'none') {
    it('are HISTORY_NOT_KEPT for a past snapshot', async () => {
      expect(await gateway.code(NODE, { id: 's0' })).toBe('HISTORY_NOT_KEPT')
      expect(await node('r1/a:x')).toBeNull()
    })
  } else {
    it('are COMPACTED for snapshots and contents that were removed, and null for what never was', async () => {
      await gateway.apply(update('a:x'))
      const { head } = await gateway.data('{ head: snapshot { revision } }')
      await gateway.data('mutation ($before: SafeInt!) { compact(before: $before) { oldestRevision } }', {
        before: head.revision,
      })
      const { errors, data } = await gateway.query(NODES, {
        ids: ['s1', 'r1/a:x', `s${head.revision}`, 's999', 'a:x', 'v1'],
      })
      expect(errors.map(({ path, extensions }) => [path, extensions['code']])).toEqual([
        [['nodes', 0], 'COMPACTED'],
        [['nodes', 1], 'COMPACTED'],
      ])
      expect(data.nodes.map((found: any) => found?.id ?? null)).toEqual([
        null,
        null,
        `s${head.revision}`,
        null,
        'a:x',
        'v1',
      ])
    })
  }
})
