import { randomUUID } from 'node:crypto'
import type { CommandContext, CommandResult } from '../command-context.js'
import { writeJson } from '../command-context.js'
import { revertVersion } from '../gateway-queries.js'
import { parseVersion } from '../parse-at.js'
import { refusedFailure } from '../refused-failure.js'
import type { RollbackCommandOptions } from './rollback.js'

/** Takes back what one version changed, as a new version on top of the head. */
export async function revert(context: CommandContext, version: string, options: RollbackCommandOptions): CommandResult {
  const number = parseVersion(version)
  const answer = await revertVersion(context.client(), {
    version: number,
    expectedHead: options.expectedHead === undefined ? null : parseVersion(options.expectedHead),
    message: options.message ?? null,
    dryRun: options.dryRun,
    idempotencyKey: randomUUID(),
  })
  if (answer.__typename === 'Refused') throw refusedFailure(answer)
  const { transition, delta, dryRun, replayed } = answer
  if (context.json) {
    const applied = { version: answer.version.number, revision: transition?.revision ?? null, dryRun, replayed, ...delta }
    await writeJson(context, { applied })
    return 0
  }
  const counts = `${delta.created} created, ${delta.updated} updated, ${delta.deleted} deleted`
  const line = transition === null
    ? `Dry run, nothing was changed: reverting v${number} would mean ${counts}.`
    : `Version ${answer.version.number} (revision ${transition.revision}) takes back v${number}: ${counts}.`
  await context.terminal.write(`${line}\n`)
  return 0
}
