// npm start: installs and builds, then runs the gateway in this very process, so that no other process has to pass
// signals on.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { prepare, root } from './prepare/prepare.mjs'
import { withProgress } from './prepare/with-progress.mjs'

await prepare({ only: 'server' })

// If npm is killed, or a shell between us swallows a signal, this process gets another parent. It then stops.
const parent = process.ppid
if (process.env.npm_lifecycle_event === 'start') {
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    process.kill(process.pid, 'SIGTERM')
  }, 500).unref()
}

await withProgress(
  'Starting the gateway and its store',
  () => import(pathToFileURL(join(root, 'dist', 'server', 'main.js')).href),
)
// The gateway is ready after 2 s, and building the page takes 4 s. So the page comes last, with the bundle for the next
// start.
await prepare({ isRunning: true })
