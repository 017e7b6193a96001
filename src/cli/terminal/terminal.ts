import pc from 'picocolors'

export type Colors = ReturnType<typeof pc.createColors>

/** Where a command prints and what it may count on there. */
export interface Terminal {
  /** Results. Settles once the text has been taken, so that a slow reader slows us and not our memory. */
  write(text: string): Promise<void>
  /** Everything that is no result: one line on standard error. */
  note(line: string): void
  readonly colors: Colors
  /** Whether a progress bar would be seen. */
  readonly showsProgress: boolean
  /** Aborted when the user interrupts; from the first call on an interrupt no longer ends the process by itself. */
  interrupt(): AbortSignal
}

/** What the process's surroundings decide. */
export interface TerminalOptions {
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  readonly colors: boolean
}

export function processTerminal({ stdout, stderr, colors }: TerminalOptions): Terminal {
  let interrupted: AbortController | undefined
  return {
    write: (text) =>
      new Promise((resolve, reject) => {
        stdout.write(text, (error) => (error ? reject(error) : resolve()))
      }),
    note: (line) => void stderr.write(`${line}\n`),
    colors: pc.createColors(colors),
    showsProgress: stderr.isTTY === true,
    interrupt: () => {
      if (interrupted === undefined) {
        const controller = (interrupted = new AbortController())
        for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => controller.abort())
      }
      return interrupted.signal
    },
  }
}

const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/** Text from a registry as it may stand on a terminal: what would steer the terminal is shown as an escape. */
export function printable(text: string): string {
  return text.replace(CONTROL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
