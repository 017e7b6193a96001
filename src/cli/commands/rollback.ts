import { randomUUID } from 'node:crypto'
import type { CommandContext, CommandResult } from '../command-context.js'
import { writeJson } from '../command-context.js'
import { applyVersion } from '../gateway-queries.js'
import { parseVersion } from '../parse-at.js'
import { refusedFailure } from '../refused-failure.js'

export interface RollbackCommandOptions {
  readonly dryRun: boolean
  readonly message?: string
  readonly expectedHead?: string
}

/** Moves the head to a version: back, forward or across branches. */
export async function rollback(context: CommandContext, version: string, options: RollbackCommandOptions): CommandResult {
  const answer = await applyVersion(context.client(), {
    version: parseVersion(version),
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
  const line = dryRun
    ? `Dry run, nothing was changed: applying ${version} would mean ${counts}.`
    : transition === null
      ? `Version ${answer.version.number} is the head already; nothing was changed.`
      : `The head is at version ${answer.version.number} (revision ${transition.revision}): ${counts}.`
  await context.terminal.write(`${line}\n`)
  return 0
}
