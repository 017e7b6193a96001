import type { RefusedOutcome, RefusedProblem } from '../gateway/gateway-queries.js'
import { CommandFailure, EXIT } from '../terminal/command-failure.js'
import { printable } from '../terminal/printable.js'

/** @bound Problems that are printed. Further ones are only counted; `--json` prints all of them. */
const SHOWN_PROBLEMS = 50

/** A refusal with one line per problem. A line starts with the origin of the operation if it is known. */
export function refusedFailure(
  refused: RefusedOutcome,
  origin: (problem: RefusedProblem) => string | undefined = () => undefined,
): CommandFailure {
  const lines = refused.problems.slice(0, SHOWN_PROBLEMS).map((problem) => {
    const where = [origin(problem), problem.entryId].filter((part) => part !== undefined && part !== null)
    const who = problem.participant === null ? '' : ` (participant ${problem.participant})`
    return printable(`${where.map((part) => `${part}: `).join('')}${problem.code}: ${problem.message}${who}`)
  })
  const more = refused.problems.length - lines.length
  if (more > 0) lines.push(`and ${more} more`)
  // The gateway's message repeats the problems, so it is printed only if there are none.
  const heading = `Refused, nothing was changed:${lines.length === 0 ? ` ${printable(refused.message)}` : ''}`
  const text = [heading, ...lines.map((line) => `  ${line}`)].join('\n')
  const problems = refused.problems.map((problem) => ({ ...problem, origin: origin(problem) ?? null }))
  return new CommandFailure(EXIT.refused, text, 'REFUSED', { problems })
}
