import { mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import { workerBundles } from './worker-bundles.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Makes one JavaScript module of a TypeScript file under test/ or src/, for a child process to import, so that tests
 * with processes of their own run on the present sources and need no build.
 * @param entry relative to the project's folder
 */
export async function bundleForChild(entry: string): Promise<{ readonly file: string; remove(): Promise<void> }> {
  // Below node_modules, so that packages are found from there; a folder for each caller, as test files run side by side.
  const folder = `${root}node_modules/.cadastre-test/${process.pid}-${Math.random().toString(36).slice(2)}`
  mkdirSync(folder, { recursive: true })
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    plugins: [workerBundles()],
    build: {
      ssr: entry,
      outDir: folder,
      emptyOutDir: false,
      minify: false,
      target: 'node20',
      rollupOptions: { output: { entryFileNames: 'child.mjs', codeSplitting: false } },
    },
  })
  return { file: `${folder}/child.mjs`, remove: () => rm(folder, { recursive: true, force: true }) }
}
