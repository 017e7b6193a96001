import { describe, expect, it } from 'vitest'

const script = new URL('../../scripts/generate-bounds.mjs', import.meta.url).href
const { boundsDocument, boundsIn, printedValue } = await import(script)

describe('generate-bounds', () => {
  it('finds tagged constants and properties, and nothing else', () => {
    const text = `
/** Not a bound. */
const OTHER_MS = 1
/** @bound Time for one read. */
export const READ_MS = 10_000
export const LIMITS: Limits = {
  /**
   * @bound Size of a batch,
   * in bytes.
   */
  batchBytes: 64 * 1024 * 1024,
}
`
    expect(boundsIn(text, 'src/core/a.ts')).toEqual([
      { name: 'READ_MS', value: 10_000, meaning: 'Time for one read.', path: 'src/core/a.ts' },
      { name: 'batchBytes', value: 67_108_864, meaning: 'Size of a batch, in bytes.', path: 'src/core/a.ts' },
    ])
  })

  it('refuses a tag without a number or without a meaning', () => {
    expect(() => boundsIn('/** @bound Time. */\nconst READ_MS = OTHER', 'a.ts')).toThrow('a.ts: below @bound')
    expect(() => boundsIn('/** @bound */\nconst READ_MS = 1', 'a.ts')).toThrow('the @bound of READ_MS')
  })

  it.each([
    ['READ_MS', 10_000, '10 s'],
    ['waitMs', 1_500, '1,500 ms'],
    ['longestQuietMs', 3_600_000, '60 min'],
    ['BATCH_BYTES', 1_048_576, '1 MiB'],
    ['MOST_IDS', 10_000, '10,000'],
  ])('prints %s = %d as %s', (name, value, printed) => {
    expect(printedValue(name, value)).toBe(printed)
  })

  it('lists a bound under its floor, with a link to its file', () => {
    const document = boundsDocument([{ name: 'READ_MS', value: 1_000, meaning: 'Time.', path: 'src/core/x/a.ts' }])
    expect(document).toContain('## src/core\n')
    expect(document).toContain('| Time. | 1 s | `READ_MS` in [a.ts](../src/core/x/a.ts) |')
  })
})
