import type { CommandContext, CommandResult } from '../answers/command-context.js'
import { writeJsonArray } from '../answers/command-context.js'
import type { LoggedTransition, LoggedVersion, Pages } from '../gateway/gateway-queries.js'
import { newestTransitions, newestVersions } from '../gateway/gateway-queries.js'
import { printable } from '../terminal/printable.js'
import type { Colors } from '../terminal/terminal.js'

export interface LogCommandOptions {
  readonly transitions: boolean
  readonly limit?: number
}

/** Lists versions or transitions, newest first. */
export async function logCommand(context: CommandContext, options: LogCommandOptions): CommandResult {
  const client = context.client()
  if (options.transitions)
    await print(context, newestTransitions(client, options.limit), transitionLine, flatTransition)
  else await print(context, newestVersions(client, options.limit), versionLine, flatVersion)
  return 0
}

async function print<Item>(
  context: CommandContext,
  pages: AsyncIterable<readonly Item[]>,
  line: (item: Item, colors: Colors) => string,
  flat: (item: Item) => unknown,
): Promise<void> {
  if (context.json) return writeJsonArray(context, mapped(pages, flat))
  for await (const page of pages) {
    await context.terminal.write(page.map((item) => `${line(item, context.terminal.colors)}\n`).join(''))
  }
}

async function* mapped<Item>(pages: AsyncIterable<readonly Item[]>, flat: (item: Item) => unknown): Pages<unknown> {
  for await (const page of pages) yield page.map(flat)
}

/** `v12 ← v11  2026-01-31T12:00:00.000Z  +3 ~1 -0  ann  Raise the pool (head)` */
function versionLine(version: LoggedVersion, colors: Colors): string {
  const { created, updated, deleted } = version.changeset ?? { created: 0, updated: 0, deleted: 0 }
  const parent = version.previous === null ? '' : colors.dim(` ← v${version.previous.number}`)
  const counts = `${colors.green(`+${created}`)} ${colors.yellow(`~${updated}`)} ${colors.red(`-${deleted}`)}`
  const head = version.isHead ? colors.cyan('(head)') : ''
  return line([
    `${colors.bold(`v${version.number}`)}${parent}`,
    version.createdAt,
    counts,
    ...authorAndMessage(version),
    head,
  ])
}

/** `r14 v12 → v9  2026-01-31T12:00:00.000Z  rollback  ann  Back to what worked` */
function transitionLine(transition: LoggedTransition, colors: Colors): string {
  const movement = `v${transition.from.number} → v${transition.to.number}`
  const { revision, createdAt, kind } = transition
  return line([
    `${colors.bold(`r${revision}`)} ${movement}`,
    createdAt,
    kind.toLowerCase(),
    ...authorAndMessage(transition),
  ])
}

function authorAndMessage({
  author,
  message,
}: {
  readonly author: string | null
  readonly message: string | null
}): string[] {
  return [author ?? '', message?.split('\n')[0] ?? ''].map(printable)
}

function line(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('  ')
}

function flatVersion({ previous, changeset, ...rest }: LoggedVersion): unknown {
  return { ...rest, previous: previous?.number ?? null, ...changeset }
}

function flatTransition({ from, to, ...rest }: LoggedTransition): unknown {
  return { ...rest, from: from.number, to: to.number }
}
