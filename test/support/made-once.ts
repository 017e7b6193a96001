import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { inject } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Fills a folder that all test files of a run share. It is below node_modules, so that packages are found from there.
 * @param inputs folders of the project. After a change in one of them, as in watch mode, the folder is made again
 * @throws the error of `make`
 */
export async function madeOnce(
  name: string,
  inputs: readonly string[],
  make: (folder: string) => Promise<void> | void,
): Promise<string> {
  const shared = inject('sharedFolder')
  mkdirSync(shared, { recursive: true })
  const folder = join(shared, `${name}-${Math.max(0, ...inputs.map(newestChange))}`)
  const complete = join(folder, 'complete')
  for (;;) {
    if (isCreated(folder)) {
      try {
        await make(folder)
      } catch (error) {
        rmSync(folder, { recursive: true, force: true })
        throw error
      }
      writeFileSync(complete, '')
    }
    // Another test file may be making it. The folder disappears if that fails.
    while (existsSync(folder)) {
      if (existsSync(complete)) return folder
      await sleep(50)
    }
  }
}

/** Creates a folder. Returns whether it did not exist. */
function isCreated(folder: string): boolean {
  try {
    mkdirSync(folder)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Returns the time of the last change below a folder, in milliseconds. */
function newestChange(folder: string): number {
  const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
  return Math.max(...names.map((name) => statSync(join(root, folder, name)).mtimeMs))
}
