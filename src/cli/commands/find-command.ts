import type { JsonObject } from '../../core/entry/json.js'
import type { CommandContext, CommandResult } from '../answers/command-context.js'
import { writeJsonArray } from '../answers/command-context.js'
import type { StoredEntry } from '../gateway/gateway-queries.js'
import { snapshotEntries, snapshotPlace } from '../gateway/gateway-queries.js'
import { parseAt } from '../input/parse-at.js'
import { parseCriteria } from '../input/parse-criteria.js'
import { tableOf } from '../terminal/render-table.js'

export interface FindCommandOptions {
  readonly at: string
  readonly limit?: number
}

/** Lists the matching entries of one revision. */
export async function findCommand(
  context: CommandContext,
  words: readonly string[],
  options: FindCommandOptions,
): CommandResult {
  const criteria: JsonObject = parseCriteria(words)
  const at = parseAt(options.at)
  const client = context.client()
  const { revision } = await snapshotPlace(client, at)
  const limit = options.limit === undefined ? {} : { limit: options.limit }
  const pages = snapshotEntries(client, { revision, find: criteria, withContent: context.json, ...limit })
  if (context.json) {
    await writeJsonArray(
      context,
      mapped(pages, ({ entryId, kind, meta, data, digest, revision, version }) => ({
        id: entryId,
        kind,
        meta,
        data,
        digest,
        revision,
        version: version.number,
      })),
    )
    return 0
  }
  const { terminal } = context
  const table = tableOf(['ID', 'KIND', 'REVISION', 'VERSION'], terminal.colors)
  let found = 0
  for await (const page of pages) {
    found += page.length
    if (page.length === 0) continue
    const rows = page.map((entry) => [entry.entryId, entry.kind, `r${entry.revision}`, `v${entry.version.number}`])
    await terminal.write(table(rows))
  }
  const stopped = found === options.limit ? ' (there may be more: --limit)' : ''
  terminal.note(
    terminal.colors.dim(`${found === 1 ? '1 entry' : `${found} entries`} at revision ${revision}${stopped}`),
  )
  return 0
}

async function* mapped<Result>(
  pages: AsyncIterable<readonly StoredEntry[]>,
  row: (entry: StoredEntry) => Result,
): AsyncGenerator<readonly Result[], void, undefined> {
  for await (const page of pages) yield page.map(row)
}
