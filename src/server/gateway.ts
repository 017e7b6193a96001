import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, isIPv6 } from 'node:net'
import { compileDependencyPatterns } from '../core/dependency/compile-dependency-patterns.js'
import { schema } from '../graphql/schema.js'
import { SupergraphComposer } from '../graphql/supergraph/supergraph-composer.js'
import { pause } from '../registry/async/pause.js'
import { waitAtMost } from '../registry/async/within-deadline.js'
import { createRegistry } from '../registry/create-registry.js'
import { fixedDirectory } from '../registry/participants/participant-directories.js'
import type { SourceProvider } from '../sources/provider/source-provider.js'
import { compileRegex } from '../store/planning/compile-regex.js'
import { DEFAULT_BUS } from '../store/providers/bus-providers.js'
import { storeProviderConfig } from '../store/providers/open-store.js'
import { type AppOptions, createApp } from './app.js'
import type { GatewayConfig } from './config/config.js'
import { StartError } from './config/start-error.js'
import { DocumentManifest } from './documents/document-manifest.js'
import { type FederatedSchemas, federatedSchemas } from './engine/subgraph.js'
import { isBlockedPort } from './http/blocked-ports.js'
import { GRAPHQL_PATH } from './http/create-http-server.js'
import { createLog, type Log } from './observing/log.js'
import { defaultAnswerBytes, OPERATION_LIMITS } from './pipeline/operation-limits.js'
import { createGatewayProviders } from './plugins/gateway-providers.js'
import { loadParticipants } from './plugins/load-participants.js'
import { loadPlugins } from './plugins/load-plugins.js'
import { openSources } from './plugins/open-sources.js'

export interface Gateway {
  /** URL of the playground. */
  readonly url: string
  /** URL of GraphQL over HTTP and, with `ws:`, over WebSockets. */
  readonly endpoint: string
  /** Finishes operations in flight, then closes the store. Settles within 10 seconds. */
  close(): Promise<void>
}

export interface StartGatewayOptions
  extends Pick<AppOptions, 'playgroundDir' | 'operationLimits' | 'socketLimits' | 'connectionLimits'> {
  readonly log?: Log
  /** More source providers, registered like those of plugins. */
  readonly sourceProviders?: readonly SourceProvider[]
}

/** @bound Time for one read of the store. */
const READ_TIMEOUT_MS = 10_000
/**
 * @bound Time for one commit, including the wait for the lock. The largest changeset takes about 15 s on two slow
 * cores.
 */
const COMMIT_TIMEOUT_MS = 60_000
/** @bound Time for one mutation in addition to the time of its participants: the commit and the wait for it. */
const BESIDE_PARTICIPANTS_SECONDS = 90
/** @bound Time that a stopping gateway still waits for participants' answers. */
const STOP_ASKING_MS = 3_000
/** @bound Time for closing the bus and undoing what plugins registered, while the gateway stops. */
const PLUGINS_CLOSE_MS = 500
/** @bound Time for closing the sources while the gateway stops. */
const SOURCES_CLOSE_MS = 500
/**
 * @bound Time for closing the store while the gateway stops: the rest of SPEC's 10 seconds after the steps before it.
 */
const STORE_CLOSE_MS = 3_500

/** Opens the store and listens. @throws StartError with the reason why it cannot start, and what to do */
export async function startGateway(config: GatewayConfig, options: StartGatewayOptions = {}): Promise<Gateway> {
  const log = options.log ?? createLog(config.logLevel)
  const federated = federate(config)
  const manifest = await openManifest(config, log)
  const providers = await createGatewayProviders((what, error) => log.warn({ err: error }, what))
  for (const provider of options.sourceProviders ?? []) await providers.register('source', provider)
  const plugins = await loadPlugins(config, providers, (line) => log.warn(line))
  const loaded = loadParticipants(config, plugins.participants, (participant, error) =>
    log.warn({ participant, err: error }, 'a webhook could not be reached'),
  )
  const dependencies = [...config.dependencies, ...plugins.dependencies]
  const referencesFingerprint = fingerprint(dependencies)
  const references = compileDependencyPatterns(dependencies)
  const chosen = config.store ?? { provider: config.backend, options: storeProviderConfig(config) }
  const history = await providers
    .create('store', chosen.provider, chosen.options, {
      options: {
        references,
        referencesFingerprint,
        compileRegex,
        readTimeoutMs: READ_TIMEOUT_MS,
        commitTimeoutMs: COMMIT_TIMEOUT_MS,
        optimisticWrites: config.optimizations['optimistic-writes'],
        onFault: (what, error) => log.error({ err: error }, what),
      },
      log: (line) => log.info(line),
    })
    .catch((error: unknown) => {
      throw new StartError(`The ${chosen.provider} store cannot be opened: ${(error as Error).message}`, {
        cause: error,
      })
    })
  // Used by configurations that name no provider.
  providers.setDefault('store', config.databaseUrl === null ? 'embedded' : 'postgres')
  providers.setDefault('source', 'filesystem')
  providers.setDefault('bus', DEFAULT_BUS[history.backend])
  const bus = await providers
    .create('bus', config.bus?.provider ?? null, config.bus?.options ?? {}, { history })
    .catch(async (error: unknown) => {
      await history.close()
      throw new StartError(`The bus cannot be opened: ${(error as Error).message}`, { cause: error })
    })

  const composer = config.compose === null ? null : new SupergraphComposer(history, config.compose)
  const { operationSeconds, totalSeconds } = config.transactions
  const registry = createRegistry({
    history,
    bus,
    references,
    compileRegex,
    limits: config.limits,
    optimizations: config.optimizations,
    transactions: {
      participants: fixedDirectory(loaded.participants),
      ...(composer !== null && { deriver: composer }),
      internalKinds: config.internalKinds,
      operationMs: operationSeconds * 1_000,
      totalMs: totalSeconds * 1_000,
      undelivered: (participant, { transaction, kind }, error) =>
        log.warn({ participant, transaction, kind, err: error }, 'a participant could not be notified'),
      failed: (error) => log.error({ err: error }, 'open transactions could not be checked'),
    },
  })
  const sources = await orClose(openSources({ config, providers, registry, log }), () =>
    registry
      .close()
      .then(() => bus.close())
      .then(() => history.close()),
  )
  const mutationSeconds = Math.max(OPERATION_LIMITS.mutationSeconds, totalSeconds + BESIDE_PARTICIPANTS_SECONDS)
  const app = createApp({
    operationLimits: { ...OPERATION_LIMITS, mutationSeconds, answerBytes: config.answerBytes ?? defaultAnswerBytes() },
    ...options,
    config,
    registry,
    providers,
    sources,
    federated,
    manifest,
    referencesFingerprint,
    log,
  })
  try {
    app.server.listen({ host: config.host, port: config.port })
    await once(app.server, 'listening')
  } catch (error) {
    await registry.close()
    await bus.close()
    await history.close()
    throw new StartError(listenProblem(config, error as NodeJS.ErrnoException), { cause: error })
  }
  const { port } = app.server.address() as AddressInfo
  const url = `http://${shownHost(config.host)}:${port}/`
  log.info({ backend: config.backend, url }, 'listening')
  if (isBlockedPort(port))
    log.warn({ port }, 'browsers and fetch refuse to connect to this port: set PORT to another one for the playground')
  // Starts after listening, so that a slow first load delays no client.
  sources.start()

  let closing: Promise<void> | undefined
  async function close(): Promise<void> {
    const stopped = new AbortController()
    // Mutations that wait for participants still get an answer before the sockets close.
    const registryClosed = pause(STOP_ASKING_MS, stopped.signal).then(() => registry.close())
    const sourcesClosed = sources.close()
    await app.stop()
    stopped.abort()
    await registryClosed
    await within(SOURCES_CLOSE_MS, sourcesClosed, () => log.warn('a source did not close in time'))
    loaded.close()
    manifest?.close()
    await composer?.close()
    await within(
      PLUGINS_CLOSE_MS,
      bus.close().then(() => providers.close()),
      () => log.warn('a plugin did not stop in time'),
    )
    await within(STORE_CLOSE_MS, history.close(), () => log.warn('the store did not close in time'))
    log.info('stopped')
  }
  return { url, endpoint: `${url.slice(0, -1)}${GRAPHQL_PATH}`, close: () => (closing ??= close()) }
}

/** Identifies the patterns, so that the store knows when to rebuild its index of references. */
export function fingerprint(patterns: GatewayConfig['dependencies']): string {
  const written = patterns.map(({ path, allowWildcard = false }) => JSON.stringify([path, allowWildcard])).sort()
  return createHash('sha256').update(written.join('\n')).digest('hex')
}

/** @throws StartError if the manifest cannot be used */
async function openManifest({ documents }: GatewayConfig, log: Log): Promise<DocumentManifest | null> {
  if (documents === null) return null
  const path = documents.manifest
  try {
    return await DocumentManifest.open({
      path,
      onReload: (count) => log.info({ path, documents: count }, 'the manifest of documents was loaded again'),
      onFault: (error) => log.error({ err: error }, 'the previous manifest of documents stays in use'),
    })
  } catch (error) {
    throw new StartError((error as Error).message, { cause: error })
  }
}

/** @throws StartError if the options do not fit the schema */
function federate({ federation }: GatewayConfig): FederatedSchemas | null {
  if (federation === null) return null
  try {
    return federatedSchemas(schema, federation)
  } catch (error) {
    throw new StartError(`The subgraph cannot be made: ${(error as Error).message}`, { cause: error })
  }
}

function listenProblem({ host, port }: GatewayConfig, error: NodeJS.ErrnoException): string {
  const known: Readonly<Record<string, string>> = {
    EADDRINUSE: `Port ${port} on ${host} is in use. Set PORT to another port, or to 0 for a free one.`,
    EACCES: `This user may not listen on port ${port}. Set PORT to 1024 or more.`,
    EADDRNOTAVAIL: `${host} is not an address of this machine. Set HOST to one, or to 0.0.0.0 for all.`,
    ENOTFOUND: `The host ${host} is unknown. Set HOST to an address of this machine.`,
  }
  return known[error.code ?? ''] ?? `Cannot listen on ${host}:${port}: ${error.message}`
}

/** Returns an address that a browser can open. */
function shownHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return isIPv6(host) ? `[${host}]` : host
}

async function within(ms: number, done: Promise<void>, late: () => void): Promise<void> {
  if (!(await waitAtMost(ms, done))) late()
}

async function orClose<Result>(work: Promise<Result>, close: () => Promise<void>): Promise<Result> {
  try {
    return await work
  } catch (error) {
    await close()
    throw error
  }
}
