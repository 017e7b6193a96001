import type { CommandContext, CommandResult } from '../answers/command-context.js'
import { writeJson } from '../answers/command-context.js'
import { changesOf, countChanges, countsText, renderChange } from '../answers/render-changes.js'
import { deltaBetween, snapshotPlace } from '../gateway/gateway-queries.js'
import { parseAt } from '../input/parse-at.js'

/** Shows the changes between two points in history. */
export async function diffCommand(context: CommandContext, from: string, to: string): CommandResult {
  const places = [parseAt(from), parseAt(to)] as const
  const client = context.client()
  const [before, after] = await Promise.all(places.map((place) => snapshotPlace(client, place)))
  const delta = await deltaBetween(client, before!.revision, after!.revision)
  const { terminal } = context
  if (context.json) {
    await writeJson(context, { from: before!.revision, to: after!.revision, ...delta })
    return 0
  }
  const changes = changesOf(delta)
  for (const change of changes) await terminal.write(`${renderChange(change, terminal.colors)}\n\n`)
  const counts = changes.length === 0 ? 'No difference' : countsText(countChanges(changes), 'done')
  await terminal.write(`${counts} from revision ${before!.revision} to ${after!.revision}.\n`)
  return 0
}
