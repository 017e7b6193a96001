// npm run dev: the gateway, compiled and started again whenever a source changes.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { prepare, root } from './prepare/prepare.mjs'
import { runTool } from './prepare/run-tool.mjs'

await prepare()
// What is compiled from here on is not in it.
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
