import type { CommandContext, CommandResult } from '../answers/command-context.js'
import { writeJson } from '../answers/command-context.js'
import { changesOf, countChanges, countsText, renderChange } from '../answers/render-changes.js'
import { deltaBetween, type SnapshotPlace, snapshotPlace } from '../gateway/gateway-queries.js'
import { type AtArgument, parseAt } from '../input/parse-at.js'
import { printable } from '../terminal/printable.js'

/** Shows the changes between two points in history. */
export async function diffCommand(context: CommandContext, from: string, to: string): CommandResult {
  const points = [parseAt(from), parseAt(to)] as const
  const client = context.client()
  const [before, after] = await Promise.all([snapshotPlace(client, points[0]), snapshotPlace(client, points[1])])
  const delta = await deltaBetween(client, before.revision, after.revision)
  const { terminal } = context
  if (context.json) {
    const versions = { fromVersion: before.version.number, toVersion: after.version.number }
    await writeJson(context, { from: before.revision, to: after.revision, ...versions, ...delta })
    return 0
  }
  const changes = changesOf(delta)
  for (const change of changes) await terminal.write(`${renderChange(change, terminal.colors)}\n\n`)
  const counts = changes.length === 0 ? 'No difference' : countsText(countChanges(changes), 'done')
  await terminal.write(`${counts} from ${pointText(from, points[0], before)} to ${pointText(to, points[1], after)}.\n`)
  return 0
}

/** A point in history as the caller wrote it. What may mean another state tomorrow has its version beside it. */
function pointText(written: string, at: AtArgument, { version }: SnapshotPlace): string {
  if (at !== null && 'version' in at) return `v${at.version}`
  if (at !== null && 'revision' in at) return `r${at.revision}`
  return `${printable(written)} (v${version.number})`
}
