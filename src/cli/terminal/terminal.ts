import { fstatSync, write } from 'node:fs'
import pc from 'picocolors'
import { escapeHidden } from '../../core/entry/hidden-characters.js'
import { printable } from './printable.js'
import { outputFailure } from './system-failure.js'

export type Colors = ReturnType<typeof pc.createColors>

/** The output of a command. */
export interface Terminal {
  /**
   * Writes results to standard output. Resolves when the text has been written, so a slow reader costs no memory.
   * @throws CommandFailure if it cannot be written, OutputClosed if its reader is gone
   */
  write(text: string): Promise<void>
  /** Writes one line that is not a result to standard error. A failure is ignored, because there is no place left to report it. */
  note(line: string): void
  /** Shows a line on standard error and removes the previous one. It stays until something else is written. Null removes it. Only a terminal shows it. */
  showStatus(line: string | null): void
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
  let hasStatus = false
  const showStatus = (line: string | null): void => {
    if (stderr.isTTY !== true || (line === null && !hasStatus)) return
    // A line that wraps could not be replaced.
    const text = line === null ? '' : [...printable(line)].slice(0, (stderr.columns || 80) - 1).join('')
    stderr.write(`\r\u001b[2K${text}`)
    hasStatus = line !== null
  }
  const writeOut = outputOf(stdout)
  return {
    write: async (text) => {
      showStatus(null)
      try {
        await writeOut(shown(text, colors))
      } catch (error) {
        throw outputFailure(error as Error)
      }
    },
    note: (line) => {
      showStatus(null)
      stderr.write(`${shown(line, colors)}\n`)
    },
    showStatus,
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

type Write = (text: string) => Promise<void>

/** Writes to a file itself: a disk that is nearly full accepts part of a text, which Node's stream does not notice. */
function outputOf(stream: NodeJS.WriteStream & { readonly fd?: number }): Write {
  const { fd } = stream
  if (fd !== undefined && isFile(fd)) return (text) => writeFully(fd, Buffer.from(text, 'utf8'))
  return (text) =>
    new Promise((resolve, reject) => {
      stream.write(text, (error) => (error ? reject(error) : resolve()))
    })
}

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile()
  } catch {
    return false
  }
}

function writeFully(fd: number, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const writeRest = (rest: Buffer): void => {
      if (rest.length === 0) return resolve()
      write(fd, rest, (error, count) => (error ? reject(error) : writeRest(rest.subarray(count))))
    }
    writeRest(bytes)
  })
}

/** A sequence that sets a colour. */
const COLOUR = /(\u001b\[[\d;]*m)/

/** Escapes hidden characters wherever a command has not done so itself. JSON keeps its value. */
function shown(text: string, colors: boolean): string {
  if (!colors || !text.includes('\u001b')) return escapeHidden(text)
  // Every second part is a separator.
  return text
    .split(COLOUR)
    .map((part, i) => (i % 2 === 1 ? part : escapeHidden(part)))
    .join('')
}
