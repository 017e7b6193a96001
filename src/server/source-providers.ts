import type { z } from 'zod'
import type { SourceReader } from '../sources/source-reader.js'
import { describeIssue } from './config-file.js'
import type { SourceProviders } from './open-sources.js'

interface BuiltIn {
  readonly configSchema: z.ZodType
  create(config: any, host: { readonly folder: string }): SourceReader | Promise<SourceReader>
}

const BUILT_IN: Readonly<Record<string, BuiltIn>> = {}

/** What reads sources without a plugin. */
export const builtInSourceProviders: SourceProviders = {
  async checkConfig(_role, provider, config) {
    const parsed = named(provider).configSchema.safeParse(config)
    if (!parsed.success) throw new Error(parsed.error.issues.flatMap(describeIssue).join('; '))
  },
  async create(_role, provider, config, host) {
    const { configSchema, create } = named(provider)
    return create(configSchema.parse(config), host)
  },
}

function named(provider: string): BuiltIn {
  if (Object.hasOwn(BUILT_IN, provider)) return BUILT_IN[provider]!
  throw new Error(`there is no source provider "${provider}"; there are: ${Object.keys(BUILT_IN).join(', ') || 'none'}`)
}
