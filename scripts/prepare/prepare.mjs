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
 */
export async function prepare() {
  requireNode()
  try {
    if (isInstalled(root) && stepsToTake(root).length === 0) return
    await whileAlone(root, async () => {
      if (!isInstalled(root)) await install(root)
      await build(root, stepsToTake(root))
    })
  } catch (error) {
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  }
}
