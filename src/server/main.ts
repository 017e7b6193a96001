import { statSync } from 'node:fs'

/** All that the gateway is made of as one file (scripts/bundle.mjs): reading nine hundred takes longer than all else that a start does. */
const bundle = new URL('../bundle/serve.js', import.meta.url)
const modified = (file: URL) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0

// One that is older than what was compiled since (`npm run dev`, say) is not what is meant to run.
const isFresh = modified(bundle) >= modified(new URL(import.meta.url))
const { serve } = isFresh ? ((await import(bundle.href)) as typeof import('./serve.js')) : await import('./serve.js')
await serve()
