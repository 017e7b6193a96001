import type { CommandContext, CommandResult } from '../answers/command-context.js'
import { type MovementOptions, moveByVersion } from '../answers/move-by-version.js'
import { applyVersion } from '../gateway/gateway-queries.js'

/** Moves the head to a version: back, forward or across branches. */
export function rollbackCommand(context: CommandContext, version: string, options: MovementOptions): CommandResult {
  return moveByVersion(
    context,
    {
      send: applyVersion,
      summary: (number, { version: head, transition, dryRun }, counts) =>
        dryRun
          ? `Dry run, nothing was changed: applying v${number} would change: ${counts}.`
          : transition === null
            ? `Version ${head.number} is already the head, nothing was changed.`
            : `The head is at version ${head.number} (revision ${transition.revision}): ${counts}.`,
    },
    version,
    options,
  )
}
