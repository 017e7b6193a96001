import { defineConfig } from 'vite'

export default defineConfig({
  root: import.meta.dirname,
  // Relative: the page works at whatever path a proxy puts the gateway under.
  base: './',
  // React's JSX transform is the bundler's own; a plugin with hot reloading would buy a production build nothing.
  oxc: { jsx: { runtime: 'automatic' } },
  worker: { format: 'es' },
  build: {
    outDir: '../dist/playground',
    emptyOutDir: true,
    sourcemap: false,
    reportCompressedSize: false,
    // The page uses light-dark(); the browsers that have it need nothing lowered.
    target: ['chrome123', 'firefox121', 'safari17.5'],
    // The editor is one chunk of 3 MB, loaded after the first paint: the default limit of 500 kB would always warn.
    chunkSizeWarningLimit: 4000,
    rolldownOptions: {
      // "use client" and its like speak to servers that render React; in a bundle for browsers they mean nothing.
      onLog: (level, log, report) => {
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') report(level, log)
      },
    },
  },
})
