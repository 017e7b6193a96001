import { jsonText } from '../../core/entry/negative-zero.js'
import type { CommandContext, CommandResult } from '../answers/command-context.js'
import { writeJson } from '../answers/command-context.js'
import { liveInstances } from '../gateway/gateway-queries.js'
import { CommandFailure, EXIT } from '../terminal/command-failure.js'
import { printable } from '../terminal/printable.js'
import { renderTable } from '../terminal/render-table.js'

/** Lists the live instances of an entry. */
export async function instancesCommand(context: CommandContext, id: string): CommandResult {
  const instances = await liveInstances(context.client(), id)
  if (instances === null)
    throw new CommandFailure(EXIT.refused, `There is no entry ${printable(id)}`, 'ENTRY_NOT_FOUND')
  const { terminal } = context
  if (context.json) await writeJson(context, instances)
  else if (instances.length === 0) await terminal.write(`${printable(id)} has no live instances.\n`)
  else {
    const rows = instances.map(({ name, fencingToken, acquiredAt, expiresAt, metadata }) => [
      name,
      String(fencingToken),
      acquiredAt,
      expiresAt,
      metadata === null ? '' : jsonText(metadata),
    ])
    await terminal.write(renderTable(['NAME', 'TOKEN', 'ACQUIRED', 'EXPIRES', 'METADATA'], rows, terminal.colors))
  }
  return 0
}
