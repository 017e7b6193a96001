import pc from 'picocolors'

export type Colors = ReturnType<typeof pc.createColors>

/** The output of a command. */
export interface Terminal {
  /** Writes results to standard output. Resolves when the text has been written, so a slow reader costs no memory. */
  write(text: string): Promise<void>
  /** Writes one line that is not a result to standard error. */
  note(line: string): void
  readonly colors: Colors
  /** Whether standard error is a terminal that can show a progress bar. */
  readonly showsProgress: boolean
  /** A signal that aborts when the user interrupts. From the first call on, an interrupt no longer ends the process. */
  interrupt(): AbortSignal
}

/** The streams and settings of the process. */
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

/** Escapes control characters, so that text from a registry cannot control the terminal. */
export function printable(text: string): string {
  return text.replace(CONTROL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
