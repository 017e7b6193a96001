import { migrateStore } from '../../store/providers/open-store.js'
import type { CommandContext, CommandResult } from '../answers/command-context.js'
import { writeJson } from '../answers/command-context.js'
import { localStoreConfig, localStoreFailure } from '../input/local-store-config.js'

/** Brings the tables of the store up to date, as a gateway does when it starts. */
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
