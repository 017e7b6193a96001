import { resolve } from 'node:path'
import type { z } from 'zod'
import type { SourceProvider } from '../provider/source-provider.js'
import { HttpConfig } from './http-options.js'
import { openHttpSource } from './http-source.js'

export const httpProvider: SourceProvider<z.infer<typeof HttpConfig>> = {
  name: 'http',
  displayName: 'HTTP registry',
  version: '1.0.0',
  description: 'Reads pages of JSON entries from a URL and polls for changes.',
  capabilities: ['scan', 'watch', 'poll', 'pages', 'auth', 'mapping', 'schemas'],
  configSchema: HttpConfig,
  create: ({ schemas, ...options }, { folder, entryBytes, thread }) =>
    openHttpSource(
      {
        ...options,
        schemas: Object.fromEntries(Object.entries(schemas).map(([pattern, path]) => [pattern, resolve(folder, path)])),
      },
      { entryBytes },
      thread,
    ),
}
