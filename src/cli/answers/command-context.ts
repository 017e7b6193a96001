import { jsonText } from '../../core/entry/negative-zero.js'
import type { GatewayClient } from '../gateway/gateway-client.js'
import type { Terminal } from '../terminal/terminal.js'

/** The arguments that every command receives. */
export interface CommandContext {
  readonly terminal: Terminal
  /** Whether `--json` was given. */
  readonly json: boolean
  /** Created on first use, because `serve`, `migrate` and `verify` need no gateway. @throws CommandFailure (usage) */
  client(): GatewayClient
}

/** The exit code of a command: 0, or 1 if it succeeded but part of its input could not be used. */
export type CommandResult = Promise<0 | 1>

/** Prints a value as one JSON document, for `--json`. */
export async function writeJson(context: CommandContext, value: unknown): Promise<void> {
  await context.terminal.write(`${jsonText(value, 2)}\n`)
}

/** Prints pages of items as one JSON array, one item per line. It holds one page in memory at a time. */
export async function writeJsonArray(context: CommandContext, pages: AsyncIterable<readonly unknown[]>): Promise<void> {
  let separator = '['
  for await (const page of pages) {
    let text = ''
    for (const item of page) {
      text += `${separator}\n${jsonText(item)}`
      separator = ','
    }
    if (text !== '') await context.terminal.write(text)
  }
  await context.terminal.write(separator === '[' ? '[]\n' : '\n]\n')
}
