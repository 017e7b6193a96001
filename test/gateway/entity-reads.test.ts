import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { countStatements, type StatementCounter } from '../graphql/loading/count-statements.js'
import { create, startTestGateway, type TestGateway, update } from './gateway-fixture.js'

const ENTITIES = `query ($representations: [_Any!]!) {
  _entities(representations: $representations) {
    __typename
    ... on Entry { entryId }
    ... on EntryRevision { entryId revision }
    ... on Version { number }
    ... on Transition { revision }
    ... on Snapshot { revision }
    ... on Tag { name }
    ... on Source { name }
    ... on Instance { id }
  }
}`

/** More than any type needs, so that background work hides no loop: one by one, 500 representations need hundreds. */
const A_READ_FOR_EACH_TYPE = 10

describe('the entities of a supergraph', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cadastre-source-'))
  let counter: StatementCounter
  let gateway: TestGateway
  let instance: string

  beforeAll(async () => {
    const sources = Array.from({ length: 50 }, (_, n) => ({
      name: `s${n}`,
      provider: 'filesystem',
      path: folder,
      watch: false,
    }))
    const yaml = JSON.stringify({ federation: {}, sources })
    gateway = await startTestGateway('postgres', yaml, async (url) => {
      counter = await countStatements(url)
      return counter.url
    })
    for (let n = 0; n < 50; n++) await gateway.apply(create(`a:e${n}`, n))
    for (let n = 0; n < 50; n++)
      await gateway.data(`mutation { setTag(input: { name: "t${n}", version: ${n + 1} }) { name } }`)
    const acquired = await gateway.data(
      'mutation { acquireInstance(input: { entry: "a:e0", name: "i", ttlSeconds: 600 }) { id } }',
    )
    instance = acquired.acquireInstance.id
  })
  afterAll(async () => {
    await gateway.close()
    await counter.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const places = Array.from({ length: 50 }, (_, n) => n)
  const byType = (): Record<string, object[]> => ({
    Entry: places.map((n) => ({ id: `a:e${n}` })),
    EntryState: places.map((n) => ({ id: `a:e${n}` })),
    EntryRevision: places.map((n) => ({ entryId: `a:e${n}`, revision: n + 1 })),
    Version: places.map((n) => ({ number: n + 1 })),
    Transition: places.map((n) => ({ revision: n + 1 })),
    Snapshot: places.map((n) => ({ revision: n + 1 })),
    Tag: places.map((n) => ({ name: `t${n}` })),
    Source: places.map((n) => ({ name: `s${n}` })),
    Instance: places.map(() => ({ id: instance })),
    Provider: places.map(() => ({ role: 'source', name: 'filesystem' })),
  })

  it('are read by one statement for each type, 500 of ten types at once', async () => {
    const found = Object.entries(byType())
    // Mixed: neighbors are of different types.
    const representations = places.flatMap((n) => found.map(([__typename, keys]) => ({ __typename, ...keys[n] })))
    expect(representations).toHaveLength(500)
    let least = Infinity
    for (let tried = 0; tried < 4; tried++) {
      const begun = counter.statements
      const { _entities } = await gateway.data(ENTITIES, { representations })
      least = Math.min(least, counter.statements - begun)
      expect(_entities.filter((entity: unknown) => entity === null)).toEqual([])
    }
    expect(least).toBeLessThanOrEqual(A_READ_FOR_EACH_TYPE)
  })

  it('are all of one head, while the registry changes', async () => {
    const representations = places.flatMap((n) => [
      { __typename: 'Entry', id: `a:e${n}` },
      { __typename: 'EntryState', id: `a:e${n}` },
    ])
    const query = `query ($representations: [_Any!]!) {
      _entities(representations: $representations) { ... on Entry { entryId revision } }
    }`
    const updateAll = (data: unknown) => gateway.apply(...places.map((n) => update(`a:e${n}`, data)))
    await updateAll('all')
    let isDone = false
    const writing = (async () => {
      for (let n = 0; !isDone; n++) await updateAll(n)
    })()
    const seen: number[] = []
    for (let tried = 0; tried < 20; tried++) {
      const { _entities } = await gateway.data(query, { representations })
      // Each changeset changes all of them, so that they have one revision.
      seen.push(new Set(_entities.map(({ revision }: { revision: number }) => revision)).size)
    }
    isDone = true
    await writing
    expect(new Set(seen)).toEqual(new Set([1]))
  })
})
