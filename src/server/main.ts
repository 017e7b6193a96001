import { statSync } from 'node:fs'
import { parseWithout } from '../store/contract/optimizations.js'

/** The whole gateway as one file (scripts/bundle.mjs), because reading 900 files takes most of a start. */
const bundle = new URL('../bundle/serve.js', import.meta.url)
const modified = (file: URL) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0

// A bundle older than the compiled files is out of date, for example under `npm run dev`.
const isFresh = modified(bundle) >= modified(new URL(import.meta.url))
const isEnabled = parseWithout(process.env['CADASTRE_WITHOUT'] ?? '').switches.bundle
const { serve } =
  isFresh && isEnabled ? ((await import(bundle.href)) as typeof import('./serve.js')) : await import('./serve.js')
// `cadastre serve --json` runs this file too.
await serve({ json: process.argv.includes('--json') })
