// Holds what was measured against what is aimed for.
import { median } from './statistics.mjs'

/** Of these a higher figure is the better one. */
const MORE_IS_BETTER = new Set(['perSecond', 'operations a second'])

/**
 * Each aim of a workload with what came of it; those are left out whose systems were not measured. An aim is one of
 * - a ratio: `figure` of the system `of` over the same of `over`, where several of which the best counts; `least` or `most`, or
 *   neither where nothing is aimed for;
 * - a bound: `figure` of the system `of` is `atMost` so much.
 */
export function judged(aims, rounds) {
  return aims.flatMap(({ figure, of = 'cadastre', over = [], least, most, atMost }) => {
    if (rounds.length === 0 || rounds[0][of]?.[figure] === undefined) return []
    const ours = median(rounds.map((round) => round[of][figure]))
    if (atMost !== undefined)
      return [{ figure, of, ours, over: [], value: ours, aim: `at most ${atMost}`, isMet: ours <= atMost }]
    const others = over.filter((name) => rounds[0][name]?.[figure] !== undefined)
    if (others.length === 0) return []
    const best = MORE_IS_BETTER.has(figure) ? Math.max : Math.min
    // Within each round, since what else the machine does changes from round to round.
    const value = median(rounds.map((round) => round[of][figure] / best(...others.map((name) => round[name][figure]))))
    const aim = least !== undefined ? `at least ${least}` : most !== undefined ? `at most ${most}` : null
    const isMet = aim === null ? null : least !== undefined ? value >= least : value <= most
    return [
      {
        figure,
        of,
        ours,
        over: others.map((name) => ({ name, value: median(rounds.map((round) => round[name][figure])) })),
        value,
        aim,
        isMet,
      },
    ]
  })
}
