import { resolve } from 'node:path'
import type { Registry } from '../../registry/registry.js'
import { ParsingThread } from '../../sources/parsing/parsing-thread.js'
import { withSchemas } from '../../sources/parsing/with-schemas.js'
import { schemasConfig } from '../../sources/provider/source-config.js'
import { createSourceHost } from '../../sources/provider/source-host.js'
import { createSources, type RunningSources } from '../../sources/running/sources.js'
import type { SourceNotice } from '../../sources/running/status-reporter.js'
import type { GatewayConfig } from '../config/config.js'
import type { SourceConfig } from '../config/source-section.js'
import { ConfiguredError } from '../config/start-error.js'
import type { Log } from '../observing/log.js'
import type { GatewayProviders } from './gateway-providers.js'

export interface OpenSourcesOptions {
  readonly config: Pick<GatewayConfig, 'sources' | 'configFolder' | 'limits'>
  readonly providers: GatewayProviders
  readonly registry: Registry
  readonly log: Log
}

/** Creates the configured sources. They read nothing before `start`. @throws ConfiguredError that lists every problem */
export async function openSources({ config, providers, registry, log }: OpenSourcesOptions): Promise<RunningSources> {
  const planned = config.sources.map((source) => ({ ...source, ...schemasApart(source, providers) }))
  const checked = await Promise.allSettled(
    planned.map(({ provider, options }) => providers.checkConfig('source', provider, options)),
  )
  const problems = planned.flatMap(({ name, problem }, i) => {
    const check = checked[i]!
    const found = [
      ...(problem === undefined ? [] : [problem]),
      ...(check.status === 'fulfilled' ? [] : [(check.reason as Error).message]),
    ]
    return found.map((message) => `The source "${name}": ${message}`)
  })
  if (problems.length > 0) throw new ConfiguredError(problems.join('\n'))
  // All sources share one thread. Only sources wait for it.
  const thread = new ParsingThread()
  const sources = planned.map(({ options, schemas, problem: _, ...settings }) => {
    const host = createSourceHost(
      config.configFolder,
      config.limits.entryBytes,
      (message) => log.warn({ source: settings.name }, message),
      thread,
    )
    const paths = Object.fromEntries(
      Object.entries(schemas).map(([pattern, path]) => [pattern, resolve(config.configFolder, path)]),
    )
    return {
      ...settings,
      async open() {
        const reader = await providers.create('source', settings.provider, options, host)
        return Object.keys(paths).length === 0 ? reader : withSchemas(reader, paths, thread)
      },
    }
  })
  return createSources({
    sources,
    registry,
    limits: config.limits,
    notify: (notice) => LOG_NOTICE[notice.what](notice, log),
    closeAfterwards: () => thread.close(),
  })
}

/** Every source may have schemas. If its provider does not support them, the gateway validates the provider's entries. */
function schemasApart({ provider, options }: SourceConfig, providers: GatewayProviders) {
  const isCapable = providers.get('source', provider)?.capabilities.includes('schemas') ?? true
  if (isCapable || options['schemas'] === undefined) return { options, schemas: {} }
  const { schemas, ...others } = options
  const parsed = schemasConfig.safeParse(schemas)
  const [issue] = parsed.error?.issues ?? []
  return {
    options: others,
    schemas: parsed.data ?? {},
    problem: issue && `${['schemas', ...issue.path].join('.')}: ${issue.message}`,
  }
}

const LOG_NOTICE: Readonly<Record<SourceNotice['what'], (notice: SourceNotice, log: Log) => void>> = {
  claimed: ({ source }, log) => log.info({ source }, 'this gateway reads the source'),
  released: ({ source }, log) => log.info({ source }, 'this gateway no longer reads the source'),
  loading: ({ source, locations, definitions }, log) =>
    log.info({ source, locations, definitions }, 'loading the source'),
  loaded: ({ source, created, updated, deleted, failures }, log) =>
    log[failures === 0 ? 'info' : 'warn']({ source, created, updated, deleted, failures }, 'loaded the source'),
  failed: ({ source, error }, log) => log.error({ source, err: error }, 'the source could not be loaded'),
  unwatched: ({ source, error }, log) => log.warn({ source, err: error }, 'the source cannot be watched'),
}
