import { dirname, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'vite'
import { madeOnce } from './made-once.js'
import { BUNDLED_PACKAGES, workerBundles } from './worker-bundles.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Bundles a TypeScript file under test/ or src/ into one JavaScript module for a child process, so that tests with child
 * processes run the current sources without a build. The test files of a run share the bundle.
 * @param entry path relative to the project's folder
 * @returns the path of the bundle
 */
export async function bundleForChild(entry: string): Promise<string> {
  const name = `bundle-${entry.replaceAll(/\W/g, '-')}`
  const folder = await madeOnce(name, ['src', dirname(entry)], (into) => bundle(entry, into))
  return `${folder}/child.mjs`
}

async function bundle(entry: string, folder: string): Promise<void> {
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    plugins: [workerBundles(folder), moduleLocations(folder)],
    build: {
      ssr: entry,
      outDir: folder,
      emptyOutDir: false,
      minify: false,
      target: 'node20',
      rollupOptions: { output: { entryFileNames: 'child.mjs', codeSplitting: false } },
    },
    ssr: BUNDLED_PACKAGES,
  })
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
