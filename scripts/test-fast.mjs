// npm run test:fast: the tests that need no database, no browser and no process of their own. Arguments after `--` go
// to vitest.
import { join } from 'node:path'
import { prepare, root } from './prepare/prepare.mjs'
import { runTool } from './prepare/run-tool.mjs'

await prepare({ only: 'server' })
process.exitCode = await runTool(
  process.execPath,
  [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--config', 'vitest.fast.config.ts', ...process.argv.slice(2)],
  { cwd: root },
)
