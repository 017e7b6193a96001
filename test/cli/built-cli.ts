import type { ChildProcess } from 'node:child_process'
import { execFile, spawn } from 'node:child_process'
import { cp, symlink } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { madeOnce } from '../support/made-once.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export interface BuiltCli {
  /** Path of the program's entry point. */
  readonly main: string
}

/** Compiles the current sources into a folder with the layout of the package, which the test files of a run share. */
export async function buildCli(): Promise<BuiltCli> {
  const folder = await madeOnce('cli', ['src', 'schema', 'drizzle'], compile)
  return { main: `${folder}/dist/cli/cadastre.js` }
}

async function compile(folder: string): Promise<void> {
  await promisify(execFile)(process.execPath, [
    `${ROOT}node_modules/typescript/bin/tsc`,
    '-p',
    ROOT,
    '--outDir',
    `${folder}/dist`,
    '--sourceMap',
    'false',
  ])
  await cp(`${ROOT}package.json`, `${folder}/package.json`)
  for (const name of ['schema', 'drizzle']) await symlink(`${ROOT}${name}`, `${folder}/${name}`)
}

export interface CliProcess {
  readonly child: ChildProcess
  /** The output so far. */
  readonly out: () => string
  readonly err: () => string
  /** The exit code, or the signal that ended the process. */
  readonly ended: Promise<number | NodeJS.Signals | null>
}

/** Starts the built program in a process. */
export function startCli(
  { main }: BuiltCli,
  argv: readonly string[],
  environment: Record<string, string> = {},
): CliProcess {
  const { PATH = '' } = process.env
  const child = spawn(process.execPath, [main, ...argv], {
    env: { PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.on('close', (code, signal) => resolve(code ?? signal)),
  )
  return { child, out: () => out, err: () => err, ended }
}

/** Runs the built program until it exits. */
export async function runBuilt(
  cli: BuiltCli,
  argv: readonly string[],
  environment?: Record<string, string>,
): Promise<{ code: unknown; out: string; err: string }> {
  const started = startCli(cli, argv, environment)
  const code = await started.ended
  return { code, out: started.out(), err: started.err() }
}

/** Far more than a loaded machine needs. It only ends a test that would never pass. */
const WAIT_MS = 60_000

/** Waits until a condition holds. The error after a timeout shows the output of the processes. */
export async function until(what: string, holds: () => boolean, ...processes: readonly CliProcess[]): Promise<void> {
  const deadline = Date.now() + WAIT_MS
  while (!holds()) {
    if (Date.now() > deadline) {
      const output = processes.map(
        ({ out, err }) => `\n--- stdout\n${out().slice(-2_000)}\n--- stderr\n${err().slice(-2_000)}`,
      )
      throw new Error(`Timed out waiting for ${what}${output.join('')}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
