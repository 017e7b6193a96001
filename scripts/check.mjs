// npm run check: installs, builds and runs every check that needs no test, in under a minute.
import { runChecks } from './checks.mjs'
import { prepare, root } from './prepare/prepare.mjs'

await prepare({ only: 'server' })
process.exitCode = (await runChecks(root)) === 0 ? 0 : 1
