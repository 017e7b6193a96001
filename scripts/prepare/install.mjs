import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inputHash } from './input-hash.mjs'
import { runTool } from './run-tool.mjs'

const inputs = ['package-lock.json']
const stampOf = (root) => join(root, 'node_modules', '.cadastre-installed')

/** Whether every package is there as package-lock.json has it. */
export function isInstalled(root) {
  const hash = inputHash(root, inputs)
  const stamp = stampOf(root)
  if (existsSync(stamp)) return readFileSync(stamp, 'utf8') === hash
  // Installed by hand (`npm ci`): npm's own record of what it put there tells.
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

/** Installs exactly what package-lock.json says. */
export async function install(root) {
  process.stderr.write('Installing packages (npm ci) …\n')
  // npm tells the scripts that it runs where it is itself; without it, it is on the path.
  const [program, ...before] = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm']
  const args = [...before, 'ci', '--include=dev', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']
  // What it prints is for people: standard output is left to what follows.
  const code = await runTool(program, args, { cwd: root, stdio: ['ignore', 2, 2] })
  if (code !== 0) throw new Error('npm ci failed; its messages are above')
  writeFileSync(stampOf(root), inputHash(root, inputs))
}
