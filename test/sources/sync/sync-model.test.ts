import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Registry } from '../../../src/registry/registry.js'
import { memoryRegistry } from '../../registry/registry-fixture.js'
import { MapSource, thing } from './map-source.js'
import { TestSource } from './sync-fixture.js'

/*
 * A source changes at random, and the gateway restarts in between. When everything is readable again, the registry must be
 * equal to the result of a fresh load.
 */

type Step =
  | {
      readonly type: 'put'
      readonly location: string
      readonly definitions: readonly (readonly [name: string, data: number, kind: number])[]
    }
  | { readonly type: 'break' | 'remove'; readonly location: string }
  | { readonly type: 'move'; readonly location: string; readonly to: string }
  | { readonly type: 'sync' | 'restart' | 'crash' | 'fail' }

const location = fc.constantFrom('a.json', 'b.json', 'c.json', 'd/a.json', 'd/b.json', 'x.zip!/a.json', 'x.zip!/b.json')
const definition = fc.tuple(
  fc.constantFrom('1', '2', '3', '4', '5', '6'),
  fc.integer({ min: 0, max: 2 }),
  fc.integer({ min: 0, max: 1 }),
)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('put' as const),
      location,
      definitions: fc.array(definition, { maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('break' as const, 'remove' as const), location }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('move' as const), location, to: location }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('sync' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('restart' as const, 'crash' as const, 'fail' as const) }) },
)

const textOf = (definitions: Extract<Step, { type: 'put' }>['definitions']) =>
  JSON.stringify(definitions.map(([name, data, kind]) => thing(`app:${name}`, data, {}, `kind${kind}.thing`)))

class Model {
  readonly reader = new MapSource()
  readonly source: TestSource

  constructor(readonly registry: Registry) {
    this.source = new TestSource(registry, this.reader)
  }

  async run(step: Step): Promise<void> {
    if (step.type === 'put') this.reader.put(step.location, textOf(step.definitions))
    else if (step.type === 'break') this.reader.put(step.location, '[{')
    else if (step.type === 'remove') this.reader.remove(step.location)
    else if (step.type === 'move') {
      const file = this.reader.files.get(step.location)
      this.reader.remove(step.location)
      if (file !== undefined) this.reader.put(step.to, file.text)
    } else await this.#result(step.type)
  }

  async #result(how: 'sync' | 'restart' | 'crash' | 'fail'): Promise<void> {
    if (how === 'restart') this.source.forget()
    if (how === 'crash') return this.#crash()
    if (how === 'fail') {
      this.reader.broken = new Error('it is away')
      await expect(this.source.sync()).rejects.toThrow('it is away')
      this.reader.broken = null
      return
    }
    await this.source.sync()
  }

  /** The gateway ends after it has saved only some of its records. */
  async #crash(): Promise<void> {
    const { sources } = this.registry.history
    const { save } = sources
    let left = this.reader.files.size % 3
    sources.save = async (...args) => {
      if (left-- <= 0) throw new Error('killed')
      await save.apply(sources, args)
    }
    await this.source.sync().catch((error: Error) => expect(error.message).toBe('killed'))
    sources.save = save
    this.source.forget()
  }

  async mend(): Promise<void> {
    for (const [location, { text }] of this.reader.files)
      if (text === '[{') this.reader.put(location, textOf([['7', 1, 0]]))
    await this.source.sync()
  }

  async state(): Promise<unknown> {
    const all = { limit: 1_000, after: null, before: null, fromEnd: false }
    const { items } = await this.registry.history.findEntries({ all: [] }, 'ID_ASC', all, 'head')
    return items.map(({ id, content }) => [id, content.kind, content.data])
  }
}

describe('a source with random changes', () => {
  it('converges to the result of a fresh load', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 40 }),
        fc.constantFrom(2, 3, 100_000),
        async (steps, changesetOperations) => {
          const model = new Model(memoryRegistry())
          model.source.limits = { ...model.source.limits, changesetOperations }
          for (const each of steps) await model.run(each)
          await model.mend()
          const fresh = new Model(memoryRegistry())
          for (const [location, { text }] of model.reader.files) fresh.reader.put(location, text)
          const loaded = await fresh.source.sync()
          expect(await model.state()).toEqual(await fresh.state())
          const again = await model.source.sync()
          expect([again.loaded, again.failures.definitions]).toEqual([loaded.loaded, loaded.failures.definitions])
          expect([again.created, again.updated, again.deleted]).toEqual([0, 0, 0])
          expect((await model.source.owned()).length).toBe(loaded.loaded)
        },
      ),
      { numRuns: 1_500 },
    )
  })
})
