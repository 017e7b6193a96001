import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { madeOnce } from '../support/made-once.js'

/** The folder whose package.json and package-lock.json pin the gateways and clients of others. */
export const INTEROP = fileURLToPath(new URL('.', import.meta.url))

const MODULES = join(INTEROP, 'node_modules')
const MARK = join(MODULES, '.installed')
const OPTIONS = ['ci', '--omit=peer', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']

/** Limit for a hook that waits for the install: it takes a minute, and longer beside other work. */
export const INSTALL_MS = 600_000

/**
 * Installs the packages of this folder unless they are installed as its lock file says. The test files of a run wait for
 * the first of them that does so.
 */
export async function installInterop(): Promise<void> {
  await madeOnce('interop-packages', [], () => {
    const lock = createHash('sha256')
      .update(readFileSync(join(INTEROP, 'package-lock.json')))
      .digest('hex')
    if (existsSync(MARK) && readFileSync(MARK, 'utf8') === lock) return
    execFileSync('npm', OPTIONS, { cwd: INTEROP, stdio: ['ignore', 'ignore', 'inherit'] })
    removeUnused()
    writeFileSync(MARK, lock)
  })
}

const requireHere = createRequire(join(INTEROP, 'package.json'))

/**
 * Loads a package of this folder, by Node itself: vitest would transform some of them. Their types are not known before
 * they are installed, so that `tsc` passes without them.
 */
export function interop(name: string): any {
  return requireHere(name)
}

/** Removes 140 of 340 MB: source maps, and relay-compiler's programs for other systems. */
function removeUnused(): void {
  const compiler = join(MODULES, 'relay-compiler')
  const system = { linux: 'linux', darwin: 'macos', win32: 'win' }[process.platform as string]
  for (const name of readdirSync(compiler))
    if (/^(?:linux|macos|win)-/.test(name) && name !== `${system}-${process.arch}`)
      rmSync(join(compiler, name), { recursive: true })
  for (const name of readdirSync(MODULES, { recursive: true, encoding: 'utf8' }))
    if (name.endsWith('.map')) rmSync(join(MODULES, name), { force: true })
}
