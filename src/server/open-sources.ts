import type { z } from 'zod'
import type { Registry } from '../registry/registry.js'
import type { SourceReader } from '../sources/source-reader.js'
import type { ConfiguredSource, SourceNews } from '../sources/source-runner.js'
import { createSources, type RunningSources } from '../sources/sources.js'
import { describeIssue } from './config-file.js'
import type { GatewayConfig } from './config.js'
import type { Log } from './log.js'
import { StartError } from './start-error.js'

/** What can read a source. */
export interface SourceProvider {
  /** What may stand in its section besides what every source has. */
  readonly options: z.ZodType
  /** `options` have been checked. */
  open(options: unknown, folder: string): SourceReader | Promise<SourceReader>
}

export type SourceProviders = Readonly<Record<string, SourceProvider>>

/** The built-in ones. */
export const SOURCE_PROVIDERS: SourceProviders = {}

/** Puts the configured sources together; nothing is read before `start`. @throws StartError naming everything that is wrong with them */
export function openSources(config: Pick<GatewayConfig, 'sources' | 'configFolder' | 'limits'>, registry: Registry, log: Log, providers = SOURCE_PROVIDERS): RunningSources {
  const problems: string[] = []
  const sources = config.sources.flatMap(({ options, ...settings }): ConfiguredSource[] => {
    const place = `the source "${settings.name}"`
    const provider = Object.hasOwn(providers, settings.provider) ? providers[settings.provider] : undefined
    if (provider === undefined) {
      problems.push(`${place} wants the provider "${settings.provider}"; there are: ${Object.keys(providers).join(', ')}`)
      return []
    }
    const parsed = provider.options.safeParse(options)
    problems.push(...(parsed.error?.issues ?? []).flatMap(describeIssue).map((problem) => `${place}: ${problem}`))
    return [{ ...settings, open: () => provider.open(parsed.data, config.configFolder) }]
  })
  if (problems.length > 0) throw new StartError(problems.join('\n'))
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
