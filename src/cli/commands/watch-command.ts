import { jsonText } from '../../core/entry/negative-zero.js'
import type { OperationKind } from '../../core/ordering/operation.js'
import type { CommandContext, CommandResult } from '../answers/command-context.js'
import type { ReceivedBatch } from '../gateway/follow-changes.js'
import { followChanges } from '../gateway/follow-changes.js'
import { parseCriteria } from '../input/parse-criteria.js'
import { printable } from '../terminal/printable.js'
import type { Colors } from '../terminal/terminal.js'

export interface WatchCommandOptions {
  readonly after?: string
  readonly find?: readonly string[]
  readonly initial: boolean
}

/** Prints changes as they happen, until it is interrupted. It reconnects when the gateway goes away. */
export async function watchCommand(context: CommandContext, options: WatchCommandOptions): CommandResult {
  const { terminal, json } = context
  const find = options.find === undefined ? null : parseCriteria(options.find)
  const { options: gateway } = context.client()
  let cursor = options.after ?? null
  // A terminal shows each attempt in the same line. A log has one line for the loss and one for the return.
  let isLost = false
  await followChanges(gateway, {
    after: cursor,
    find,
    initial: options.initial,
    withContent: json,
    signal: terminal.interrupt(),
    onBatch: async (batch) => {
      const text = json ? `${jsonText(flatBatch(batch))}\n` : batchLines(batch, terminal.colors)
      if (text !== '') await terminal.write(text)
      cursor = batch.cursor
    },
    onLost: (reason, waitMs) => {
      const text = `connection lost (${printable(reason)}), reconnecting`
      if (!isLost && !terminal.showsProgress) terminal.note(terminal.colors.yellow(text))
      isLost = true
      terminal.showStatus(`${text} in ${(waitMs / 1000).toFixed(1)} s`)
    },
    onResumed: () => {
      isLost = false
      terminal.note(terminal.colors.dim('reconnected'))
    },
  })
  if (cursor !== null && !json)
    terminal.note(terminal.colors.dim(`to resume from here: cadastre watch --after ${cursor}`))
  return 0
}

const SIGNS: Record<OperationKind, [sign: string, colour: 'green' | 'yellow' | 'red']> = {
  CREATE: ['+', 'green'],
  UPDATE: ['~', 'yellow'],
  DELETE: ['-', 'red'],
}

/** One line per change, for example `r12 v9 + app:db  store.sql`. */
function batchLines({ revision, version, changes }: ReceivedBatch, colors: Colors): string {
  const place = colors.dim(`r${revision} v${version.number}`)
  return changes
    .map(({ kind, entryId, entry, previous }) => {
      const [sign, colour] = SIGNS[kind]
      return `${place} ${colors[colour](`${sign} ${printable(entryId)}`)}  ${colors.dim((entry ?? previous)?.kind ?? '')}\n`
    })
    .join('')
}

function flatBatch({ version, ...batch }: ReceivedBatch): unknown {
  const { number, ...rest } = version
  return { ...batch, version: number, ...rest }
}
