import { realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, stepsToTake } from './build-steps.mjs'
import { whileAlone } from './clone-lock.mjs'
import { install, isInstalled } from './install.mjs'
import { requireNode } from './node-version.mjs'

/** The clone that this file is in. */
export const root = realpathSync(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))

/**
 * Installs and builds whatever is missing. If nothing is, this takes less than 0.1 s. On a failure it prints the reason
 * and ends the process.
 * @param {{ only?: 'server', isRunning?: boolean }} options with `only`, only the server is built. A page that is not
 *   built yet is announced, and the gateway tells its visitors. With `isRunning`, a failure does not end the process
 */
export async function prepare({ only, isRunning = false } = {}) {
  requireNode()
  try {
    if (isInstalled(root) && stepsToTake(root).length === 0) return
    await whileAlone(root, async () => {
      if (!isInstalled(root)) await install(root)
      await build(root, stepsToTake(root), only)
    })
  } catch (error) {
    process.stderr.write(`${error.message}\n`)
    if (!isRunning) process.exit(1)
  }
}
