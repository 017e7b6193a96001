import type { AppliedOutcome } from '../gateway/gateway-queries.js'
import type { CommandContext } from './command-context.js'

/** A write's answer for machines. */
export function appliedJson({ version, transition, delta, dryRun, replayed, warnings }: AppliedOutcome) {
  return { version: version.number, revision: transition?.revision ?? null, dryRun, replayed, ...delta, warnings }
}

/** Tells what the author of a write may not have meant, beside the output. */
export function noteWarnings({ terminal }: CommandContext, { warnings }: AppliedOutcome): void {
  for (const { message } of warnings) terminal.note(`${terminal.colors.yellow('warning')} ${message}`)
}
