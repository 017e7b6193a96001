import { describe, expect, it } from 'vitest'

interface Judged {
  value: number
  ours: number
  over: { name: string; value: number }[]
  isMet: boolean | null
}
type Rounds = Record<string, Record<string, number | null>>[]
const { judged } = (await import(/* @vite-ignore */ new URL('judge.mjs', import.meta.url).href)) as {
  judged(aims: object[], rounds: Rounds): Judged[]
}

/** Rounds in which all systems slow down alike, so that only the ratio within each round means something. */
const ROUNDS: Rounds = [
  { cadastre: { perSecond: 200, ms: 10 }, a: { perSecond: 100, ms: 20 }, b: { perSecond: 50, ms: 5 } },
  { cadastre: { perSecond: 20, ms: 100 }, a: { perSecond: 10, ms: 200 }, b: { perSecond: 5, ms: 50 } },
  { cadastre: { perSecond: 90, ms: 10 }, a: { perSecond: 30, ms: 20 }, b: { perSecond: 10, ms: 5 } },
]

describe('an aim of the bench', () => {
  it('is compared with the median of the ratios of each round, not the ratio of medians', () => {
    expect(judged([{ figure: 'perSecond', over: ['a'], least: 2 }], ROUNDS)).toMatchObject([
      { value: 2, ours: 90, isMet: true, over: [{ name: 'a', value: 30 }] },
    ])
    expect(judged([{ figure: 'perSecond', over: ['a'], least: 2.1 }], ROUNDS)).toMatchObject([{ isMet: false }])
  })

  it('counts the better of several systems: the most a second, the fewest milliseconds', () => {
    expect(judged([{ figure: 'perSecond', over: ['b', 'a'], least: 1 }], ROUNDS)).toMatchObject([{ value: 2 }])
    expect(judged([{ figure: 'ms', over: ['a', 'b'], most: 1 }], ROUNDS)).toMatchObject([{ value: 2, isMet: false }])
  })

  it('is left out if a system was not measured, and the other systems still count', () => {
    expect(
      judged(
        [
          { figure: 'perSecond', over: ['etcd'], least: 1 },
          { figure: 'perSecond', of: 'etcd', over: ['a'], least: 1 },
        ],
        ROUNDS,
      ),
    ).toEqual([])
    expect(judged([{ figure: 'perSecond', over: ['etcd', 'a'], least: 1 }], ROUNDS)).toMatchObject([
      { value: 2, over: [{ name: 'a' }] },
    ])
    expect(judged([{ figure: 'perSecond', over: ['a'], least: 1 }], [])).toEqual([])
  })

  it('may be a bound, or only report a ratio', () => {
    expect(
      judged(
        [
          { figure: 'ms', atMost: 10 },
          { figure: 'ms', of: 'a', atMost: 10 },
        ],
        ROUNDS,
      ),
    ).toMatchObject([
      { value: 10, isMet: true },
      { value: 20, isMet: false },
    ])
    expect(judged([{ figure: 'perSecond', over: ['a'] }], ROUNDS)).toMatchObject([{ value: 2, isMet: null }])
  })
})
