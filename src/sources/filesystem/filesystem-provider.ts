import { resolve } from 'node:path'
import { z } from 'zod'
import { formConfig, schemasConfig } from '../provider/source-config.js'
import type { SourceProvider } from '../provider/source-provider.js'
import { openFilesystemSource } from './filesystem-source.js'

const FilesystemConfig = z.strictObject({
  path: z.string('must be the path of a folder').min(1),
  form: formConfig.default('wippy'),
  schemas: schemasConfig,
  hardLinks: z.boolean().default(false),
})

export const filesystemProvider: SourceProvider<z.infer<typeof FilesystemConfig>> = {
  name: 'filesystem',
  displayName: 'Folder',
  version: '1.0.0',
  description: 'Reads the YAML, JSON and ZIP files of a folder, and watches it.',
  capabilities: ['scan', 'watch', 'archives', 'mapping', 'schemas'],
  configSchema: FilesystemConfig,
  create: ({ path, form, schemas, hardLinks }, { folder, entryBytes, report, thread }) =>
    openFilesystemSource({
      path: resolve(folder, path),
      form,
      schemas: Object.fromEntries(Object.entries(schemas).map(([pattern, file]) => [pattern, resolve(folder, file)])),
      limits: { entryBytes },
      hardLinks,
      report,
      thread,
    }),
}
