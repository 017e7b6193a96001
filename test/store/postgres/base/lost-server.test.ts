import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseEntryId } from '../../../../src/core/entry/entry-id.js'
import { RegistryError } from '../../../../src/core/errors/registry-error.js'
import type { History } from '../../../../src/store/contract/history.js'
import { openPostgresHistory } from '../../../../src/store/postgres/postgres-history.js'
import { apply, changeset, commitOne, create, historyOptions } from '../../../support/commit-requests.js'
import { startTestPostgres, type TestPostgres } from '../../../support/test-postgres.js'

describe('a database that is lost and comes back', () => {
  let server: TestPostgres
  let history: History

  beforeAll(async () => {
    server = await startTestPostgres()
    history = await openPostgresHistory({
      ...historyOptions,
      databaseUrl: server.url,
      backend: 'postgres',
      connections: 4,
      readTimeoutMs: 3_000,
      commitTimeoutMs: 6_000,
    })
  })
  afterAll(async () => {
    await history.close()
    await server.remove()
  })

  it('loses nothing that was acknowledged, applies nothing twice, and every call settles', async () => {
    const acknowledged = new Set<string>()
    const unknown = new Set<string>()
    const errors = new Set<string>()
    let running = true
    let next = 0
    const write = async () => {
      while (running) {
        const name = `kill:${next++}`
        try {
          if ((await commitOne(history, changeset([create(name)]))).type === 'applied') acknowledged.add(name)
        } catch (error) {
          if (!(error instanceof RegistryError)) throw error
          errors.add(error.code)
          if (error.code === 'OUTCOME_UNKNOWN') unknown.add(name)
        }
      }
    }
    const read = async () => {
      while (running) {
        await history.head().catch((error: unknown) => {
          if (!(error instanceof RegistryError)) throw error
          errors.add(error.code)
        })
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }
    const workers = [write(), write(), write(), read(), read()]
    const moreAcknowledged = async () => {
      const before = acknowledged.size
      await expect.poll(() => acknowledged.size).toBeGreaterThan(before + 20)
    }
    for (let round = 0; round < 3; round++) {
      await moreAcknowledged()
      server.kill9()
      await new Promise((resolve) => setTimeout(resolve, round * 300))
      await server.start()
    }
    await moreAcknowledged()
    running = false
    await Promise.all(workers)

    const ids = Array.from({ length: next }, (_, i) => parseEntryId(`kill:${i}`))
    const there = new Set((await history.entries(ids, 'head')).keys() as Iterable<string>)
    expect([...acknowledged].filter((name) => !there.has(name))).toEqual([])
    expect([...there].filter((name) => !acknowledged.has(name) && !unknown.has(name))).toEqual([])
    expect((await history.head()).revision).toBe(there.size)
    expect([...errors].filter((code) => !['UNAVAILABLE', 'OUTCOME_UNKNOWN', 'TIMEOUT'].includes(code))).toEqual([])
    expect((await history.verify()).corruptions).toEqual([])
  })

  it('lets every call settle while it does not answer, and serves again', async () => {
    expect(await history.isReady()).toBe(true)
    server.freeze()
    try {
      const settled = await Promise.allSettled([
        history.head(),
        history.isReady(),
        history.versionPage({ limit: 1, after: null, before: null, fromEnd: false }),
        commitOne(history, changeset([create('froze:x')])),
      ])
      expect(settled.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected', 'rejected'])
      expect(settled[1]).toMatchObject({ value: false })
      for (const result of settled)
        if (result.status === 'rejected')
          expect(['UNAVAILABLE', 'OUTCOME_UNKNOWN', 'TIMEOUT']).toContain((result.reason as RegistryError).code)
    } finally {
      server.thaw()
    }
    await expect.poll(() => history.isReady()).toBe(true)
    await apply(history, create('thawed:x'))
    expect((await history.verify()).corruptions).toEqual([])
  })
})
