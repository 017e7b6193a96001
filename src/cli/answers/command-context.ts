import type { GatewayClient } from '../gateway/gateway-client.js'
import type { Terminal } from '../terminal/terminal.js'

/** What every command is given. */
export interface CommandContext {
  readonly terminal: Terminal
  /** Print for machines. */
  readonly json: boolean
  /** Made on first use: `serve`, `migrate` and `verify` talk to no gateway. @throws Failure (usage) */
  client(): GatewayClient
}

/** A command's own exit code: 0, or 1 where it went through but not all of its input could be used. */
export type CommandResult = Promise<0 | 1>

/** Prints a value as the one JSON document that `--json` promises. */
export async function writeJson(context: CommandContext, value: unknown): Promise<void> {
  await context.terminal.write(`${JSON.stringify(value, null, 2)}\n`)
}

/** Prints pages of items as one JSON array, an item a line, without ever holding all of them. */
export async function writeJsonArray(context: CommandContext, pages: AsyncIterable<readonly unknown[]>): Promise<void> {
  let separator = '['
  for await (const page of pages) {
    let text = ''
    for (const item of page) {
      text += `${separator}\n${JSON.stringify(item)}`
      separator = ','
    }
    if (text !== '') await context.terminal.write(text)
  }
  await context.terminal.write(separator === '[' ? '[]\n' : '\n]\n')
}
