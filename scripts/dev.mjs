// npm run dev: compiles and restarts the gateway whenever a source file changes.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { prepare, root } from './prepare/prepare.mjs'
import { runTool } from './prepare/run-tool.mjs'

await prepare()
// The bundle would not include later changes.
rmSync(join(root, 'dist/bundle'), { recursive: true, force: true })
await Promise.race([
  runTool(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.', '--watch', '--preserveWatchOutput'],
    { cwd: root },
  ),
  runTool(process.execPath, ['--watch', '--watch-preserve-output', join(root, 'dist/server/main.js')], {
    cwd: root,
    stdio: 'inherit',
  }),
])
process.kill(process.pid, 'SIGTERM')
