import type { AppliedOutcome } from '../gateway/gateway-queries.js'
import type { CommandContext } from './command-context.js'

/** The outcome of a write as `--json` prints it. */
export function appliedJson({ version, transition, delta, dryRun, replayed, warnings }: AppliedOutcome) {
  return { version: version.number, revision: transition?.revision ?? null, dryRun, replayed, ...delta, warnings }
}

/** Prints the gateway's warnings about a write to standard error. */
export function noteWarnings({ terminal }: CommandContext, { warnings }: AppliedOutcome): void {
  for (const { message } of warnings) terminal.note(`${terminal.colors.yellow('warning')} ${message}`)
}
