import type { CommandContext, CommandResult } from '../command-context.js'
import { writeJson } from '../command-context.js'
import { deltaBetween, snapshotPlace } from '../gateway-queries.js'
import type { Delta } from '../gateway-queries.js'
import { parseAt } from '../parse-at.js'
import { countChanges, countsText, renderChange } from '../render-changes.js'
import type { ShownChange } from '../render-changes.js'

/** Shows what changed between two places in the history. */
export async function diff(context: CommandContext, from: string, to: string): CommandResult {
  const places = [parseAt(from), parseAt(to)] as const
  const client = context.client()
  const [before, after] = await Promise.all(places.map((place) => snapshotPlace(client, place)))
  const delta = await deltaBetween(client, before!.revision, after!.revision)
  const { terminal } = context
  if (context.json) {
    await writeJson(context, { from: before!.revision, to: after!.revision, ...delta })
    return 0
  }
  const changes = foldReplacements(delta)
  for (const change of changes) await terminal.write(`${renderChange(change, terminal.colors)}\n\n`)
  const counts = changes.length === 0 ? 'No difference' : countsText(countChanges(changes), 'done')
  await terminal.write(`${counts} from revision ${before!.revision} to ${after!.revision}.\n`)
  return 0
}

/** A replacement by another kind comes as a DELETE and a CREATE of one id; it is shown as the one change that it is. */
function foldReplacements({ operations }: Delta): ShownChange[] {
  const changes = new Map<string, ShownChange>()
  for (const { entryId, entry, original } of operations) {
    const earlier = changes.get(entryId)
    changes.set(entryId, { entryId, before: earlier?.before ?? original, after: entry ?? earlier?.after ?? null })
  }
  return [...changes.values()]
}
