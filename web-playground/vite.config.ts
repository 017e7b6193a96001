import { defineConfig } from 'vite'
import { compressFiles } from './compress-files.ts'

export default defineConfig({
  root: import.meta.dirname,
  // Relative, so that the page works under any path of a proxy.
  base: './',
  // The bundler has React's JSX transform. A plugin with hot reloading is useless in a production build.
  oxc: { jsx: { runtime: 'automatic' } },
  worker: { format: 'es' },
  plugins: [compressFiles()],
  build: {
    outDir: '../dist/playground',
    emptyOutDir: true,
    sourcemap: false,
    reportCompressedSize: false,
    // Browsers with light-dark(), which the page uses, need no older syntax.
    target: ['chrome123', 'firefox121', 'safari17.5'],
    // The editor is one chunk of 3 MB, loaded after the first paint. The default limit of 500 kB would always warn.
    chunkSizeWarningLimit: 4000,
    rolldownOptions: {
      // Directives such as "use client" are for servers that render React. In a browser bundle they have no meaning.
      onLog: (level, log, report) => {
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') report(level, log)
      },
    },
  },
})
