import type { CommandResult } from '../answers/command-context.js'

/** Turns this process into a gateway. From here on the gateway handles signals, logs and sets the exit code. */
export async function serveCommand(): CommandResult {
  await import('../../server/main.js')
  return 0
}
