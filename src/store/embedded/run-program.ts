import { once } from 'node:events'
import { basename } from 'node:path'
import type { Binaries } from './binaries.js'
import { EmbeddedUnavailable } from './embedded-unavailable.js'
import { type RunAs, spawnAs } from './run-as.js'

// Creating a cluster takes a second, or a minute on a very slow disk.
const deadlineMs = 180_000

/**
 * Runs one of the server's programs to its end.
 * @throws EmbeddedUnavailable with its last output if it fails or prints an error
 */
export async function runProgram(as: RunAs, program: string, args: readonly string[], input = ''): Promise<void> {
  const child = spawnAs(as, program, args, ['pipe', 'pipe', 'pipe'])
  let output = ''
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  // The program may exit before it has read its input. Its exit code then reports the failure.
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(input)
  const deadline = setTimeout(() => child.kill('SIGKILL'), deadlineMs)
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  clearTimeout(deadline)
  if (code === 0 && !/\b(?:ERROR|FATAL|PANIC):/.test(output)) return
  throw new EmbeddedUnavailable(`${basename(program)} failed (${signal ?? code}): ${output.trim().slice(-2_000)}`)
}

/** Where statements run without a server, as the superuser. */
export interface SingleUser {
  readonly as: RunAs
  readonly binaries: Binaries
  readonly cluster: string
  readonly database: string
  /** False for throwaway servers, which do not wait for the disk. */
  readonly sync: boolean
}

/**
 * Runs statements as the superuser on a cluster that no server uses. This takes about 30 ms.
 * @throws EmbeddedUnavailable if a statement fails
 */
export async function runSingleUser(where: SingleUser, statements: readonly string[]): Promise<void> {
  const args = ['--single', '-D', where.cluster, ...(where.sync ? [] : ['-F']), where.database]
  // A line break ends a statement.
  const lines = statements.map((statement) => `${statement.replace(/\s+/g, ' ').trim()}\n`)
  await runProgram(where.as, where.binaries.postgres, args, lines.join(''))
}
