// npm run mutate: mutation tests of the core and of writing. Arguments after `--` go to Stryker, e.g. `--mutate
// src/core/entry/*.ts`.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { prepare, root } from './prepare/prepare.mjs'
import { runTool } from './prepare/run-tool.mjs'

await prepare({ only: 'server' })

// Its packages take 105 MB and nothing else needs them, so they are installed on the first run only.
const folder = join(root, 'test/mutation')
const wanted = readFileSync(join(folder, 'package.json'), 'utf8')
const mark = join(folder, 'node_modules/.installed')
if (!existsSync(mark) || readFileSync(mark, 'utf8') !== wanted) {
  process.stderr.write('Installing the packages of the mutation tests …\n')
  const options = ['--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund']
  execFileSync('npm', ['install', ...options], { cwd: folder, stdio: ['ignore', 2, 2] })
  writeFileSync(mark, wanted)
}

const stryker = join(folder, 'node_modules/@stryker-mutator/core/bin/stryker.js')
process.exitCode = await runTool(
  process.execPath,
  [stryker, 'run', 'test/mutation/stryker.config.mjs', ...process.argv.slice(2)],
  { cwd: root },
)
