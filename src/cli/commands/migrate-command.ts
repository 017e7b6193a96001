import { migrateStore } from '../../store/providers/open-store.js'
import type { CommandContext, CommandResult } from '../answers/command-context.js'
import { writeJson } from '../answers/command-context.js'
import { storeConfig, storeFailure } from '../input/local-store.js'

/** Brings the store's tables up to date; a gateway does the same at its start. */
export async function migrate(context: CommandContext): CommandResult {
  const { backend, databaseUrl, dataDir } = storeConfig()
  try {
    await migrateStore({ backend, databaseUrl, dataDir })
  } catch (error) {
    throw storeFailure(error)
  }
  if (context.json) await writeJson(context, { backend, migrated: true })
  else await context.terminal.write(`The tables of the store (${backend}) are up to date.\n`)
  return 0
}
