import { migrateStore } from '../../store/providers/open-store.js'
import type { CommandContext, CommandResult } from '../answers/command-context.js'
import { writeJson } from '../answers/command-context.js'
import { localStoreConfig, localStoreFailure } from '../input/local-store-config.js'

/** Brings the store's tables up to date; a gateway does the same at its start. */
export async function migrateCommand(context: CommandContext): CommandResult {
  const { backend, databaseUrl, dataDir } = localStoreConfig()
  try {
    await migrateStore({ backend, databaseUrl, dataDir })
  } catch (error) {
    throw localStoreFailure(error)
  }
  if (context.json) await writeJson(context, { backend, migrated: true })
  else await context.terminal.write(`The tables of the store (${backend}) are up to date.\n`)
  return 0
}
