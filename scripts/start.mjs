// npm start: installs, builds, and becomes the gateway. The gateway runs in this very process, so that a signal to it
// needs nobody to pass it on.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { prepare, root } from './prepare/prepare.mjs'

await prepare({ only: 'server' })

// Where npm is killed without a chance to pass that on, or a shell between us keeps a signal to itself, we are left with
// another parent: that is our sign to stop.
const parent = process.ppid
if (process.env.npm_lifecycle_event === 'start') {
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    process.kill(process.pid, 'SIGTERM')
  }, 500).unref()
}

await import(pathToFileURL(join(root, 'dist', 'server', 'main.js')).href)
// The gateway is ready sooner than the page is built, 2 s against 4 s, so the page comes last, and the bundle for the next start.
await prepare({ isRunning: true })
