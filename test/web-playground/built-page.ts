import { execFile } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))

const newest = (folder: string): number =>
  Math.max(
    ...readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => statSync(join(folder, file)).mtimeMs),
  )

/** Builds the page (5 s) unless dist/playground is up to date. */
export const buildPage = async (): Promise<void> => {
  const page = join(root, 'dist', 'playground', 'index.html')
  if (existsSync(page) && statSync(page).mtimeMs > newest(join(root, 'web-playground'))) return
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js')
  // In a separate process, because the test runner's NODE_ENV would select React's slow development build.
  const env = { ...process.env, NODE_ENV: 'production' }
  await promisify(execFile)(process.execPath, [vite, 'build', 'web-playground'], { cwd: root, env, timeout: 120_000 })
}
