import { SingleBar } from 'cli-progress'
import type { Terminal } from './terminal.js'

/** A bar that ends sooner could not be read. */
const SHOW_AFTER_MS = 1000

export interface Progress {
  /** `of` is null if the total is unknown. */
  update(done: number, of: number | null): void
  /** Removes the bar. */
  stop(): void
}

/** Shows a bar on standard error once the work takes longer than a second, if standard error is a terminal. */
export function startProgress(terminal: Terminal, label: string): Progress {
  const begun = Date.now()
  let bar: SingleBar | undefined
  return {
    update(done, of) {
      if (!terminal.showsProgress || (bar === undefined && Date.now() - begun < SHOW_AFTER_MS)) return
      if (bar === undefined) {
        const format = of === null ? `${label} {value}` : `${label} [{bar}] {value}/{total} {eta_formatted}`
        bar = new SingleBar({ format, stream: process.stderr, clearOnComplete: true, hideCursor: true, barsize: 30 })
        bar.start(of ?? 0, done)
      }
      if (of !== null) bar.setTotal(of)
      bar.update(done)
    },
    stop() {
      bar?.stop()
      bar = undefined
    },
  }
}
