import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inputHash } from './input-hash.mjs'
import { runTool } from './run-tool.mjs'
import { withProgress } from './with-progress.mjs'

const inputs = ['package-lock.json']
const stampOf = (root) => join(root, 'node_modules', '.cadastre-installed')

/** Whether every package is installed as in package-lock.json. */
export function isInstalled(root) {
  const hash = inputHash(root, inputs)
  const stamp = stampOf(root)
  if (existsSync(stamp)) return readFileSync(stamp, 'utf8') === hash
  // After an installation by hand (`npm ci`), npm's own record of the installed packages is compared instead.
  if (!matchesNpmRecord(root)) return false
  writeFileSync(stamp, hash)
  return true
}

function matchesNpmRecord(root) {
  const record = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(record)) return false
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  const present = JSON.parse(readFileSync(record, 'utf8')).packages
  return Object.entries(wanted).every(
    ([path, { version, optional, devOptional, peer }]) =>
      path === '' || (present[path] ? present[path].version === version : optional || devOptional || peer),
  )
}

/** Installs the exact packages of package-lock.json. */
export async function install(root) {
  // npm passes its own path to the scripts that it runs. Without npm, it has to be on the PATH.
  const [program, ...before] = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm']
  const args = [...before, 'ci', '--include=dev', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']
  // Its output is for people, and standard output belongs to the following command.
  const code = await withProgress('Installing the packages (npm ci)', () =>
    runTool(program, args, { cwd: root, stdio: ['ignore', 2, 2] }),
  )
  if (code !== 0) throw new Error('npm ci failed; its messages are above')
  writeFileSync(stampOf(root), inputHash(root, inputs))
}
