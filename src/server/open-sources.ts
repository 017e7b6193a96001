import type { Registry } from '../registry/registry.js'
import { createSourceHost } from '../sources/source-host.js'
import type { SourceNews } from '../sources/source-runner.js'
import { createSources, type RunningSources } from '../sources/sources.js'
import type { GatewayConfig } from './config.js'
import type { Log } from './log.js'
import type { GatewayProviders } from './provider-roles.js'
import { StartError } from './start-error.js'

export interface OpenSourcesOptions {
  readonly config: Pick<GatewayConfig, 'sources' | 'configFolder' | 'limits'>
  readonly providers: GatewayProviders
  readonly registry: Registry
  readonly log: Log
}

/** Puts the configured sources together; nothing is read before `start`. @throws StartError naming everything that is wrong with them */
export async function openSources({ config, providers, registry, log }: OpenSourcesOptions): Promise<RunningSources> {
  const checked = await Promise.allSettled(config.sources.map(({ provider, options }) => providers.checkConfig('source', provider, options)))
  const problems = checked.flatMap((check, i) => (
    check.status === 'fulfilled' ? [] : [`the source "${config.sources[i]!.name}": ${(check.reason as Error).message}`]
  ))
  if (problems.length > 0) throw new StartError(problems.join('\n'))
  const sources = config.sources.map(({ options, ...settings }) => {
    const host = createSourceHost(config.configFolder, config.limits.entryBytes, (message) => log.warn({ source: settings.name }, message))
    return { ...settings, open: () => providers.create('source', settings.provider, options, host) }
  })
  return createSources({ sources, registry, limits: config.limits, tell: (news) => TELL[news.what](news, log) })
}

const TELL: Readonly<Record<SourceNews['what'], (news: SourceNews, log: Log) => void>> = {
  taken: ({ source }, log) => log.info({ source }, 'this gateway reads the source'),
  left: ({ source }, log) => log.info({ source }, 'this gateway reads the source no more'),
  loading: ({ source, locations, definitions }, log) => log.info({ source, locations, definitions }, 'loading the source'),
  loaded: ({ source, created, updated, deleted, failures }, log) => (
    log[failures === 0 ? 'info' : 'warn']({ source, created, updated, deleted, failures }, 'loaded the source')
  ),
  failed: ({ source, error }, log) => log.error({ source, err: error }, 'the source could not be loaded'),
  unwatched: ({ source, error }, log) => log.warn({ source, err: error }, 'the source cannot be watched'),
}
