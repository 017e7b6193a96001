// Compares the measured figures with the aims.
import { median } from './statistics.mjs'

/** Figures for which higher is better. */
const MORE_IS_BETTER = new Set(['perSecond', 'operations a second'])

/**
 * The aims of a workload with their results, without aims whose systems were not measured. An aim is one of
 * - a ratio: `figure` of the system `of` divided by that of `over`, of several the better; with `least` or `most`, or neither
 *   if there is no aim;
 * - a bound: `figure` of the system `of` is at most `atMost`.
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
    // Within each round, because the load of the machine differs between rounds.
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
