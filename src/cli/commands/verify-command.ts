import { compileDependencyPatterns } from '../../core/dependency/compile-dependency-patterns.js'
import type { DependencyPattern } from '../../core/dependency/reference.js'
import type { GatewayConfig } from '../../server/config/config.js'
import { fingerprint } from '../../server/gateway.js'
import { createGatewayProviders } from '../../server/plugins/gateway-providers.js'
import { loadPlugins } from '../../server/plugins/load-plugins.js'
import type { Verification } from '../../store/contract/history.js'
import { holdsEmbeddedStore } from '../../store/embedded/start-embedded-postgres.js'
import { compileRegex } from '../../store/planning/compile-regex.js'
import { openStore } from '../../store/providers/open-store.js'
import type { CommandContext, CommandResult } from '../answers/command-context.js'
import { writeJson } from '../answers/command-context.js'
import { localStoreConfig, localStoreFailure } from '../input/local-store-config.js'
import { usageFailure } from '../terminal/command-failure.js'
import { printable } from '../terminal/printable.js'
import { startProgress } from '../terminal/progress.js'

/** @bound Time for `verify`, which reads the whole history. */
const TIMEOUT_MS = 3_600_000

/** Verifies the stored history row by row and digest by digest. Returns 1 if anything differs from what was written. */
export async function verifyCommand(context: CommandContext): CommandResult {
  const { terminal, json } = context
  const verification = await verifyStore(context)
  const { versions, revisions, changes, corruptions } = verification
  if (json) {
    await writeJson(context, { ok: corruptions.length === 0, ...verification })
  } else {
    const counts = `${versions} versions, ${revisions} revisions and ${changes} changes`
    for (const { part, where, message } of corruptions) {
      await terminal.write(`${terminal.colors.red(`${part} ${printable(where)}`)}  ${printable(message)}\n`)
    }
    const outcome = corruptions.length === 0 ? 'all intact' : `${corruptions.length} corrupted`
    await terminal.write(`${counts}: ${outcome}.\n`)
  }
  return corruptions.length === 0 ? 0 : 1
}

async function verifyStore({ terminal }: CommandContext): Promise<Verification> {
  const config = localStoreConfig()
  const { backend, databaseUrl, dataDir } = config
  if (backend === 'memory' || backend === 'none') {
    throw usageFailure(`The store "${backend}" exists only inside a running gateway, so there is nothing to verify`)
  }
  // Opening it would create an empty store and report it as intact.
  if (backend === 'embedded' && !holdsEmbeddedStore(dataDir)) {
    throw localStoreFailure(
      new Error(
        `there is no store in ${dataDir}. Run this where the gateway runs, or set CADASTRE_DATA_DIR or DATABASE_URL as it does`,
      ),
    )
  }
  const dependencies = await dependencyPatterns(config)
  const history = await openStore({
    backend,
    databaseUrl,
    dataDir,
    options: {
      references: compileDependencyPatterns(dependencies),
      referencesFingerprint: fingerprint(dependencies),
      compileRegex,
      readTimeoutMs: TIMEOUT_MS,
      commitTimeoutMs: TIMEOUT_MS,
    },
  }).catch((error: unknown) => {
    throw localStoreFailure(error)
  })
  const progress = startProgress(terminal, 'verifying versions')
  try {
    return await history.verify((done, of) => progress.update(done, of))
  } finally {
    progress.stop()
    await history.close()
  }
}

/** Includes the patterns of plugins. With fewer patterns, opening the store would rebuild its reference index wrongly. */
async function dependencyPatterns(config: GatewayConfig): Promise<readonly DependencyPattern[]> {
  if (config.plugins.length === 0) return config.dependencies
  const providers = await createGatewayProviders()
  try {
    const { dependencies } = await loadPlugins(config, providers)
    return [...config.dependencies, ...dependencies]
  } catch (error) {
    throw localStoreFailure(error)
  } finally {
    await providers.close()
  }
}
