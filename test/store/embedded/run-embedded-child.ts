import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

/** A child process running test/store/embedded/embedded-child.ts. */
export interface Child {
  readonly process: ChildProcess
  /** Waits for a printed line that begins with `start`. */
  line(start: string): Promise<string>
  /** Sends SIGKILL and waits until the process has ended. */
  kill9(): Promise<void>
}

/** Starts the bundled child in a process group of its own. */
export function runChild(file: string, task: string, folder: string): Child {
  const child = spawn(process.execPath, [file, task, folder], { stdio: ['pipe', 'pipe', 'inherit'], detached: true })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  return {
    process: child,
    async line(start) {
      for (;;) {
        const found = output
          .split('\n')
          .slice(0, -1)
          .find((line) => line.startsWith(start))
        if (found !== undefined) return found
        if (child.exitCode !== null)
          throw new Error(`the child ended (${child.exitCode}) without "${start}": ${output}`)
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
