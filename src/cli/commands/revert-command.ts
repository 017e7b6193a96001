import type { CommandContext, CommandResult } from '../answers/command-context.js'
import { type MovementOptions, moveByVersion } from '../answers/move-by-version.js'
import { revertVersion } from '../gateway/gateway-queries.js'

/** Undoes the changes of one version, as a new version on top of the head. */
export function revertCommand(context: CommandContext, version: string, options: MovementOptions): CommandResult {
  return moveByVersion(
    context,
    {
      send: revertVersion,
      summary: (number, { version: head, transition }, counts) =>
        transition === null
          ? `Dry run, nothing was changed: reverting v${number} would change: ${counts}.`
          : `Version ${head.number} (revision ${transition.revision}) reverts v${number}: ${counts}.`,
    },
    version,
    options,
  )
}
