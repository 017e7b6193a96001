import type { CommandResult } from '../answers/command-context.js'

/** Becomes the gateway: its own signals, log lines and exit code hold from here on. */
export async function serveCommand(): CommandResult {
  await import('../../server/main.js')
  return 0
}
