import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type EntryRevision, SealedContent } from '../../../src/core/entry/entry.js'
import { compareEntryIds, type EntryId, parseEntryId } from '../../../src/core/entry/entry-id.js'
import { HeadPageCache } from '../../../src/registry/head-cache/head-page-cache.js'
import type { EntryPage } from '../../../src/store/contract/history-reader.js'

const IDS = Array.from({ length: 40 }, (_, i) =>
  parseEntryId(`${['a', 'a.b', 'b'][i % 3]}:${String(i).padStart(2, '0')}`),
).sort(compareEntryIds)
const entryOf = (id: EntryId, revision: number): EntryRevision => ({
  id,
  revision,
  version: revision,
  content: new SealedContent('k', `{"r":${revision}}`, 'null', 'digest'),
})

/** The current state of a registry, and pages of it. */
class Registry {
  revision = 1
  readonly entries = new Map<EntryId, EntryRevision>()

  page(after: EntryId | null, limit: number): EntryPage {
    const items = [...this.entries.values()]
      .sort((a, b) => compareEntryIds(a.id, b.id))
      .filter(({ id }) => after === null || compareEntryIds(id, after) > 0)
    return { items: items.slice(0, limit), hasMore: items.length > limit, revision: this.revision }
  }
}

type Step =
  | { do: 'change'; ids: number[]; gone: boolean; untold: boolean }
  | { do: 'page'; after: number | null; limit: number }
  | { do: 'forget' }

const place = fc.integer({ min: 0, max: IDS.length - 1 })
const step = fc.oneof(
  fc.record({
    do: fc.constant('change' as const),
    ids: fc.uniqueArray(place, { minLength: 1, maxLength: 3 }),
    gone: fc.boolean(),
    untold: fc.boolean(),
  }),
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('page' as const),
      after: fc.option(place),
      limit: fc.integer({ min: 1, max: 15 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'forget' as const }) },
) as fc.Arbitrary<Step>

describe('HeadPageCache', () => {
  it.each([100_000, 20_000])(
    'serves the pages that the store would, whatever was cached before and changed since, within %i bytes',
    (bytes) => {
      let served = 0
      fc.assert(
        fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
          const registry = new Registry()
          for (const id of IDS.filter((_, i) => i % 2 === 0)) registry.entries.set(id, entryOf(id, 1))
          const pages = new HeadPageCache(bytes)
          for (const now of steps) {
            if (now.do === 'forget') pages.advance((registry.revision += 1), null)
            else if (now.do === 'change') {
              registry.revision += 1
              const changed = new Map<EntryId, EntryRevision | null>()
              for (const id of now.ids.map((i) => IDS[i]!)) {
                const entry = entryOf(id, registry.revision)
                if (now.gone) registry.entries.delete(id)
                else registry.entries.set(id, entry)
                changed.set(id, now.gone || now.untold ? null : entry)
              }
              pages.advance(registry.revision, changed)
            } else {
              const after = now.after === null ? null : IDS[now.after]!
              const wanted = registry.page(after, now.limit)
              const cached = pages.page(after, now.limit, registry.revision)
              if (cached === null) pages.add(after, wanted, registry.revision)
              else {
                served += 1
                expect({ ...cached, items: cached.items.map(({ id, revision }) => [id, revision]) }).toEqual({
                  ...wanted,
                  items: wanted.items.map(({ id, revision }) => [id, revision]),
                })
              }
              expect(pages.bytes).toBeLessThanOrEqual(bytes)
            }
          }
        }),
        { numRuns: 400 },
      )
      expect(served).toBeGreaterThan(20)
    },
  )

  it('does not cache a page that was read before the last read-index query', () => {
    const registry = new Registry()
    registry.entries.set(IDS[0]!, entryOf(IDS[0]!, 1))
    const pages = new HeadPageCache(100_000)
    pages.add(null, registry.page(null, 10), 2)
    expect(pages.page(null, 10, 2)).toBeNull()
  })

  it('does not serve a page as of a revision before it was read', () => {
    const pages = new HeadPageCache(100_000)
    pages.add(null, { items: [entryOf(IDS[0]!, 5)], hasMore: false, revision: 5 }, 3)
    expect(pages.page(null, 10, 4)).toBeNull()
    expect(pages.page(null, 10, 5)?.items).toHaveLength(1)
  })
})
