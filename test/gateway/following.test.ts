import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ChaosRun, runChaos } from './chaos-run.js'
import type { FollowingClient } from './following-client.js'

describe('following changes while connections are cut and servers are killed', () => {
  let followed: ChaosRun
  const each = (check: (client: FollowingClient, name: string) => void) => {
    for (const client of followed.clients) check(client, `${client.transport} ${JSON.stringify(client.filter)}`)
  }
  const unfiltered = () => followed.clients.filter(({ filter }) => Object.keys(filter).length === 0)
  beforeAll(async () => {
    followed = await runChaos(200)
  }, 600_000)
  afterAll(() => followed?.close())

  it('cut and killed everything several times, and logged no error', () => {
    expect(followed.disturbed.sockets).toBeGreaterThan(30)
    expect(followed.disturbed.listeners).toBeGreaterThan(20)
    expect(followed.disturbed.gateways).toBeGreaterThanOrEqual(2)
    expect(followed.disturbed.database).toBeGreaterThanOrEqual(2)
    each(({ connections }, name) => expect(connections, name).toBeGreaterThan(3))
    expect(followed.logged).toEqual([])
  })

  it('Ordered: revisions never decrease', () => {
    each(({ batches }, name) => {
      for (const [i, { revision }] of batches.entries())
        expect(revision, name).toBeGreaterThanOrEqual(batches[i - 1]?.revision ?? 0)
    })
  })

  it('Unique: no revision is completed twice, and no change is sent twice', () => {
    each(({ batches, faults }, name) => {
      const ended = batches
        .slice(1)
        .filter(({ complete, changes }) => complete && changes.length > 0)
        .map(({ revision }) => revision)
      expect(ended, name).toEqual([...new Set(ended)])
      expect(faults, name).toEqual([])
    })
  })

  it('Reliable: followers without a filter get every acknowledged revision, without a gap', () => {
    for (const { batches } of unfiltered()) {
      const seen = new Set(batches.map(({ revision }) => revision))
      const first = batches[0]!.revision
      expect([...followed.acknowledged.keys()].filter((revision) => revision > first && !seen.has(revision))).toEqual(
        [],
      )
      expect([...seen].sort((a, b) => a - b)).toEqual(
        Array.from({ length: followed.last - first + 1 }, (_, i) => first + i),
      )
    }
  })

  it('Atomic: a batch contains one revision, and after a complete one the folded state equals that revision', async () => {
    for (const { batches, held } of unfiltered()) {
      for (const { revision, changes } of batches.slice(1)) {
        expect(
          changes.filter(({ entry }) => entry !== null && entry.revision !== revision),
          String(revision),
        ).toEqual([])
      }
      // A revision may be sent in several batches. The next one begins only after its last batch.
      for (const [i, { revision, complete }] of batches.entries())
        if (!complete) expect(batches[i + 1]?.revision).toBe(revision)
      for (const [revision, state] of held) expect(state, String(revision)).toEqual(await followed.found(revision, {}))
    }
  })

  it('Filtered: at every revision, folding gives exactly what `entries` gives with that filter', async () => {
    let compared = 0
    for (const { filter, held, batches } of followed.clients) {
      let state = held.get(batches.find(({ complete }) => complete)!.revision)!
      for (let revision = Math.min(...held.keys()); revision <= followed.last; revision++) {
        state = held.get(revision) ?? state
        expect(state, `${JSON.stringify(filter)} at ${revision}`).toEqual(await followed.found(revision, filter))
        compared += 1
      }
    }
    expect(compared).toBeGreaterThan(800)
  }, 600_000)
})
