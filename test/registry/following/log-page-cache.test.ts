import { describe, expect, it } from 'vitest'
import { LogPageCache } from '../../../src/registry/following/log-page-cache.js'
import { endOfRevision } from '../../../src/registry/following/log-position.js'
import { restOfPage } from '../../../src/registry/following/rest-of-page.js'
import type { LogPosition } from '../../../src/store/contract/history-reader.js'
import { openMemoryHistory } from '../../../src/store/memory/memory-history.js'
import { apply, create, HISTORY_OPTIONS, registryOver } from '../registry-fixture.js'

const VERSIONS = 600

async function logOf(versions: number) {
  const history = openMemoryHistory(HISTORY_OPTIONS)
  const registry = registryOver(history)
  for (let i = 1; i <= versions; i++) await apply(registry, create(`a:${i}`), create(`b:${i}`))
  let reads = 0
  const log = (after: LogPosition, limit: number) => {
    reads += 1
    return history.log(after, limit)
  }
  return { history, registry, log, reads: () => reads }
}

/** Reads everything after a position, page by page. */
async function readOn(pages: LogPageCache, from: LogPosition, until: number): Promise<string[]> {
  const read: string[] = []
  let at = from
  while (at.revision < until || at.position !== Infinity) {
    const page = await pages.read(at)
    const { changes, transitions, upTo } = restOfPage(page, page.changes, at)
    expect(transitions.length).toBeGreaterThan(0)
    read.push(...changes.map(({ revision, entry, previous }) => `${revision} ${(entry ?? previous)!.id}`))
    at = upTo
  }
  return read
}

describe('LogPageCache', () => {
  // Pages were once found by their beginning alone: a thousand followers with a cursor each read the log a thousand times.
  it('reads pages a few times for all followers close together, and gives each what comes after its position', async () => {
    const { registry, log, reads } = await logOf(VERSIONS)
    const pages = new LogPageCache({ log })
    const places: LogPosition[] = [
      ...Array.from({ length: VERSIONS }, (_, revision) => endOfRevision(revision)),
      // Within a revision.
      ...Array.from({ length: 20 }, (_, i) => ({ revision: 1 + i * 7, position: 0 })),
    ]
    const all = Array.from({ length: VERSIONS }, (_, i) => [`${i + 1} a:${i + 1}`, `${i + 1} b:${i + 1}`]).flat()
    const found = await Promise.all(places.map((place) => readOn(pages, place, VERSIONS)))
    for (const [i, { revision, position }] of places.entries()) {
      expect(found[i]).toEqual(all.slice(position === Infinity ? 2 * revision : 2 * (revision - 1) + 1))
    }
    expect(reads()).toBeLessThan(100)
    await registry.close()
  })

  it('fails the followers whose read failed, and not those that waited for it', async () => {
    const { registry, log } = await logOf(20)
    let failures = 1
    const limits: number[] = []
    const pages = new LogPageCache({
      log: (after, limit) => {
        limits.push(limit)
        return failures-- > 0 ? Promise.reject(new Error('away')) : log(after, limit)
      },
    })
    const [first, second] = await Promise.allSettled([
      pages.read(endOfRevision(0)),
      readOn(pages, endOfRevision(1), 20),
    ])
    expect(first.status).toBe('rejected')
    expect(second.status === 'fulfilled' && second.value.length).toBe(38)
    // A read that failed may have been of too much.
    expect(limits.slice(0, 2)).toEqual([8, 4])
    await registry.close()
  })

  it('reads for each follower by itself when it is switched off', async () => {
    const { registry, log, reads } = await logOf(5)
    const pages = new LogPageCache({ log }, { cachesPages: false })
    expect(await readOn(pages, endOfRevision(0), 5)).toHaveLength(10)
    const alone = reads()
    expect(await readOn(pages, endOfRevision(0), 5)).toHaveLength(10)
    expect(reads()).toBeGreaterThan(alone)
    await registry.close()
  })

  it('never hides what happened after a page was read', async () => {
    const { registry, log } = await logOf(5)
    const pages = new LogPageCache({ log })
    expect(await readOn(pages, endOfRevision(0), 5)).toHaveLength(10)
    await apply(registry, create('c:1'))
    expect(await readOn(pages, endOfRevision(0), 6)).toHaveLength(11)
    expect(await readOn(pages, endOfRevision(5), 6)).toEqual(['6 c:1'])
    await registry.close()
  })
})
