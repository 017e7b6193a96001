import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runAtOnce } from '../../../src/core/algorithms/steps.js'
import { canonicalJson } from '../../../src/core/entry/canonical-json.js'
import type { Json } from '../../../src/core/entry/json.js'
import { canonicalJsonInSteps, jsonTextInSteps } from '../../../src/core/entry/json-in-steps.js'
import { jsonText } from '../../../src/core/entry/negative-zero.js'
import { jsonValue } from '../arbitraries.js'

/** Values that are small, and ones that are too large to be printed at once. */
const values: fc.Arbitrary<Json> = fc.oneof(
  jsonValue(),
  fc
    .array(jsonValue(), { minLength: 1, maxLength: 5 })
    .map((some) => Array.from({ length: 5_000 }, (_, i) => some[i % some.length]!)),
  fc
    .array(fc.tuple(fc.string(), jsonValue()), { minLength: 1, maxLength: 5 })
    .map((some) =>
      Object.fromEntries(
        Array.from({ length: 5_000 }, (_, i) => [
          `${some[i % some.length]![0]}${i * 7_919}`,
          some[i % some.length]![1],
        ]),
      ),
    ),
)

describe('printing JSON in steps', () => {
  it('prints the same texts as at once', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(runAtOnce(canonicalJsonInSteps(value)) === canonicalJson(value)).toBe(true)
        expect(runAtOnce(jsonTextInSteps(value)) === jsonText(value)).toBe(true)
      }),
      { numRuns: 100 },
    )
  })

  it('pauses within a large value, also while it sorts keys', () => {
    const large = Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`k${(i * 7_919) % 50_021}`, [-0]]))
    let pauses = 0
    for (const steps = canonicalJsonInSteps(large); steps.next().done !== true; ) pauses++
    expect(pauses).toBeGreaterThan(500)
  })

  it('prints any depth', () => {
    // It is refused later, with the place. Before that, a digest of the request is computed.
    let deep: Json = 1
    for (let i = 0; i < 100_000; i++) deep = [deep]
    expect(runAtOnce(canonicalJsonInSteps(deep))).toHaveLength(200_001)
  })
})
