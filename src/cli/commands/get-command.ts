import type { CommandContext, CommandResult } from '../answers/command-context.js'
import { writeJson } from '../answers/command-context.js'
import { entryAt } from '../gateway/gateway-queries.js'
import { parseAt } from '../input/parse-at.js'
import { CommandFailure, EXIT } from '../terminal/command-failure.js'
import { printable } from '../terminal/printable.js'
import { yamlText } from '../terminal/yaml-text.js'

/** Prints one entry in a form that `apply` reads. */
export async function getCommand(context: CommandContext, id: string, options: { readonly at: string }): CommandResult {
  const entry = await entryAt(context.client(), id, parseAt(options.at))
  if (entry === null) {
    const place = options.at === 'head' ? '' : ` at ${options.at}`
    throw new CommandFailure(EXIT.refused, `There is no entry ${id}${place}`, 'ENTRY_NOT_FOUND')
  }
  const { entryId, kind, meta, data, digest, revision, version } = entry
  if (context.json) {
    await writeJson(context, { id: entryId, kind, meta, data, digest, revision, version: version.number })
  } else {
    const heading = context.terminal.colors.dim(`# revision ${revision}, version ${version.number}`)
    await context.terminal.write(`${heading}\n${yamlText({ id: entryId, kind, meta, data }, printable(entryId))}`)
  }
  return 0
}
