import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

/** A child process running test/store/embedded/embedded-child.ts. */
export interface Child {
  readonly process: ChildProcess
  /** The next line that it prints and that starts like this. */
  line(start: string): Promise<string>
  /** Sends SIGKILL and waits until it is gone. */
  kill9(): Promise<void>
}

/** Starts the bundled child in a process group of its own. */
export function runChild(file: string, task: string, folder: string): Child {
  const child = spawn(process.execPath, [file, task, folder], { stdio: ['pipe', 'pipe', 'inherit'], detached: true })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  return {
    process: child,
    async line(start) {
      for (;;) {
        const found = said
          .split('\n')
          .slice(0, -1)
          .find((line) => line.startsWith(start))
        if (found !== undefined) return found
        if (child.exitCode !== null) throw new Error(`the child ended (${child.exitCode}) without "${start}": ${said}`)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
    async kill9() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}
