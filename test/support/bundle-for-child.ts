import { mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'vite'
import { workerBundles } from './worker-bundles.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Bundles a TypeScript file under test/ or src/ into one JavaScript module for a child process, so that tests with child
 * processes run the current sources without a build.
 * @param entry path relative to the project's folder
 */
export async function bundleForChild(entry: string): Promise<{ readonly file: string; remove(): Promise<void> }> {
  // Below node_modules, so that packages are found from there. Each caller has a folder, because test files run in parallel.
  const folder = `${root}node_modules/.cadastre-test/${process.pid}-${Math.random().toString(36).slice(2)}`
  mkdirSync(folder, { recursive: true })
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    plugins: [workerBundles(), moduleLocations(folder)],
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

/** Lets each module find its files relative to its own source, although the bundle is elsewhere. */
function moduleLocations(folder: string): Plugin {
  return {
    name: 'module-locations',
    transform: (code, id) =>
      id.startsWith(`${root}src/`) && code.includes('import.meta.url')
        ? code.replaceAll('import.meta.url', `new URL(${JSON.stringify(relative(folder, id))}, import.meta.url).href`)
        : undefined,
  }
}
