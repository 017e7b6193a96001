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
 * Makes sure that everything is installed and built, doing only what is missing: under 0.1 s where nothing is. Ends the
 * process with a line that says why where that cannot be done.
 * @param {{ only?: 'server', isRunning?: boolean }} options with `only` the server is built; a page that has still to be
 *   built is announced, and a gateway keeps who asks for it waiting. Where one `isRunning` in this process a failure does not end it
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
