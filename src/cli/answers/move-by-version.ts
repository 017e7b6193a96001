import { randomUUID } from 'node:crypto'
import type { GatewayClient } from '../gateway/gateway-client.js'
import type { AppliedOutcome, RefusedOutcome, VersionArgument } from '../gateway/gateway-queries.js'
import { parseVersion } from '../input/parse-at.js'
import { appliedJson, noteWarnings } from './applied-json.js'
import { type CommandContext, type CommandResult, writeJson } from './command-context.js'
import { refusedFailure } from './refused-failure.js'

export interface MovementOptions {
  readonly dryRun: boolean
  readonly message?: string
  readonly expectedHead?: string
}

/** A mutation that takes one version, and the sentence that reports its outcome. */
export interface Movement {
  send(client: GatewayClient, input: VersionArgument): Promise<AppliedOutcome | RefusedOutcome>
  summary(number: number, applied: AppliedOutcome, counts: string): string
}

/** Sends a movement of the head and prints its outcome. */
export async function moveByVersion(
  context: CommandContext,
  { send, summary }: Movement,
  version: string,
  options: MovementOptions,
): CommandResult {
  const number = parseVersion(version)
  const answer = await send(context.client(), {
    version: number,
    expectedHead: options.expectedHead === undefined ? null : parseVersion(options.expectedHead),
    message: options.message ?? null,
    dryRun: options.dryRun,
    idempotencyKey: randomUUID(),
  })
  if (answer.__typename === 'Refused') throw refusedFailure(answer)
  if (context.json) {
    await writeJson(context, { applied: appliedJson(answer) })
    return 0
  }
  const { created, updated, deleted } = answer.delta
  await context.terminal.write(
    `${summary(number, answer, `${created} created, ${updated} updated, ${deleted} deleted`)}\n`,
  )
  noteWarnings(context, answer)
  return 0
}
