import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EntryId } from '../../../src/core/entry/entry-id.js'
import { composeSubgraphs } from '../../../src/graphql/supergraph/compose-subgraphs.js'
import type { Registry } from '../../../src/registry/registry.js'
import type { RawOperation } from '../../../src/registry/writing/write-input.js'
import type { CommitOutcome } from '../../../src/store/contract/history-writer.js'
import { remove, update } from '../../registry/registry-fixture.js'
import {
  composingRegistry,
  NAMES,
  type OpenedStore,
  ORDERS,
  publish,
  republish,
  STORES,
  sdl,
  submit,
  USERS,
} from './composing-registry.js'

const SUPERGRAPH = 'shop:supergraph' as EntryId

/** Texts that compose alone, only together, or not with each other. */
const TEXTS = [USERS, NAMES, ORDERS, sdl('type Query { news: Int }'), sdl('type Query { news: String }'), 'type {', 1]
const IDS = ['shop:a', 'shop:b', 'shop:c', 'other:a']

const operation = fc.record({ id: fc.constantFrom(...IDS), text: fc.constantFrom(...TEXTS, null) })
type Step =
  | { readonly type: 'changeset'; readonly operations: { id: string; text: unknown }[]; readonly together: boolean }
  | { readonly type: 'version' | 'revert'; readonly back: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('changeset' as const),
      operations: fc.uniqueArray(operation, { minLength: 1, maxLength: 3, selector: ({ id }) => id }),
      together: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constantFrom('version' as const, 'revert' as const), back: fc.nat(5) }),
  },
)

/** All entries of the namespace at the head. */
async function stateOf({ history }: Registry) {
  const page = { limit: 100, after: null, before: null, fromEnd: false }
  const ofNamespace = { field: { root: 'ns' }, test: { operator: 'equals', value: 'shop' } } as const
  return (await history.findEntries(ofNamespace, 'ID_ASC', page, 'head')).items
}

async function expectedSupergraph(registry: Registry): Promise<string | null> {
  const subgraphs = (await stateOf(registry)).filter(({ content }) => content.kind === 'graphql.subgraph')
  if (subgraphs.length === 0) return null
  const result = await composeSubgraphs({
    subgraphs: subgraphs.map(({ id, content: { digest, dataText } }) => ({
      id,
      name: id.slice('shop:'.length),
      digest,
      dataText,
      isTouched: false,
    })),
    previousSubgraphs: [],
    previous: null,
  })
  if ('faults' in result) throw new Error(`The registry has subgraphs that do not compose: ${JSON.stringify(result)}`)
  return result.supergraph[2]
}

async function actualSupergraph(registry: Registry): Promise<string | null> {
  return (await stateOf(registry)).find(({ id }) => id === SUPERGRAPH)?.content.digest ?? null
}

/** Sends each operation as what it is to the current state, so that most changesets are refused for composition only. */
async function perform(registry: Registry, each: Step): Promise<void> {
  const { version } = await registry.head()
  if (each.type !== 'changeset') {
    const target = { version: Math.max(0, version - each.back) }
    await (each.type === 'version'
      ? registry.applyVersion(target, { author: null })
      : registry.revertVersion(target, { author: null }))
    return
  }
  const ids = each.operations.map(({ id }) => id as EntryId)
  const present = await registry.history.entries(ids, 'head')
  const operations = each.operations.flatMap(({ id, text }): RawOperation[] => {
    const exists = present.has(id as EntryId)
    if (text === null) return exists ? [remove(id)] : []
    return [exists ? republish(id, text) : publish(id, text)]
  })
  if (each.together) await submit(registry, ...operations)
  else await Promise.all(operations.map((single) => submit(registry, single)))
}

describe.each(Object.keys(STORES))('over %s', (store) => {
  let opened: OpenedStore
  let registries: Registry[]
  beforeAll(async () => {
    opened = await STORES[store]!()
    registries = (['refuse', 'warn'] as const).map((onBreaking) => composingRegistry(opened.history, { onBreaking }))
  })
  afterAll(async () => {
    for (const registry of registries) await registry.close()
    await opened.close()
  })

  it('the supergraph is what the subgraphs of its state compose to, after any changesets, rollbacks and reverts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(step, fc.nat(1)), { minLength: 1, maxLength: 12 }), async (steps) => {
        for (const [each, which] of steps) {
          await perform(registries[which]!, each)
          expect(await actualSupergraph(registries[0]!)).toBe(await expectedSupergraph(registries[0]!))
        }
      }),
      { numRuns: 12 },
    )
  }, 120_000)

  it('two publishers that compose alone but not together cannot both succeed', async () => {
    const registry = registries[0]!
    await registry.applyVersion({ version: 0 }, { author: null })
    for (let round = 0; round < 5; round++) {
      const outcomes = await Promise.all([
        submit(registry, publish('shop:users', USERS)),
        submit(
          registries[1]!,
          publish('shop:names', sdl('type Query { names: [User] }', NAMES.split('\n').slice(1).join('\n'))),
        ),
      ])
      const shown = (outcome: CommitOutcome) => (outcome.type === 'refused' ? outcome.problems[0]!.code : outcome.type)
      expect(outcomes.map(shown).sort()).toEqual(['REJECTED', 'applied'])
      const refused = outcomes.find(({ type }) => type === 'refused')
      expect(refused).toMatchObject({ problems: [{ code: 'REJECTED', operation: 0 }] })
      expect(await actualSupergraph(registry)).toBe(await expectedSupergraph(registry))
      await registry.applyVersion({ version: 0 }, { author: null })
    }
  })

  it('many publishers of one namespace all succeed', async () => {
    const registry = registries[0]!
    await registry.applyVersion({ version: 0 }, { author: null })
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) => submit(registry, publish(`shop:n${i}`, sdl(`type Query { n${i}: Int }`)))),
    )
    expect(outcomes.map(({ type }) => type)).toEqual(outcomes.map(() => 'applied'))
    expect(await actualSupergraph(registry)).toBe(await expectedSupergraph(registry))
  })

  it('a changeset of other namespaces does not wait for a composition', async () => {
    const registry = registries[0]!
    await submit(registry, publish('other:x', 1))
    expect(await submit(registry, update('other:x', {}, 2, 'graphql.subgraph'))).toMatchObject({ type: 'applied' })
  })
})
