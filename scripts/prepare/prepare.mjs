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
 * @param {{ awaitPage?: boolean }} options without `awaitPage` the page may still be built when this resolves: the
 *   gateway starts meanwhile, and keeps who asks for the page waiting
 */
export async function prepare({ awaitPage = true } = {}) {
  requireNode()
  try {
    if (isInstalled(root) && stepsToTake(root).length === 0) return
    await new Promise((resolve, reject) => {
      whileAlone(root, async () => {
        if (!isInstalled(root)) await install(root)
        const { server, page } = build(root, stepsToTake(root))
        if (!awaitPage) void server?.then(resolve, reject)
        if (!awaitPage && server === undefined) resolve()
        const failure = (await Promise.allSettled([server, page])).find(({ status }) => status === 'rejected')
        if (failure) throw failure.reason
      }).then(resolve, (error) => {
        if (!awaitPage) process.stderr.write(`${error.message}\n`)
        reject(error)
      })
    })
  } catch (error) {
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  }
}
