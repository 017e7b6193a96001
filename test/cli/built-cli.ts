import type { ChildProcess } from 'node:child_process'
import { execFile, spawn } from 'node:child_process'
import { cp, mkdir, rm, symlink } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export interface BuiltCli {
  /** The command's own file. */
  readonly main: string
  remove(): Promise<void>
}

/** Compiles the present sources into a folder of their own, laid out as the package is. */
export async function buildCli(): Promise<BuiltCli> {
  // Below node_modules, so that packages are found from there.
  const folder = `${ROOT}node_modules/.cadastre-test/cli-${process.pid}-${Math.random().toString(36).slice(2)}`
  await mkdir(folder, { recursive: true })
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
  return { main: `${folder}/dist/cli/cadastre.js`, remove: () => rm(folder, { recursive: true, force: true }) }
}

export interface CliProcess {
  readonly child: ChildProcess
  /** What has been printed so far. */
  readonly out: () => string
  readonly err: () => string
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>
}

/** Starts the built command in a process of its own. */
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

/** Runs the built command to its end. */
export async function runBuilt(
  cli: BuiltCli,
  argv: readonly string[],
  environment?: Record<string, string>,
): Promise<{ code: unknown; out: string; err: string }> {
  const started = startCli(cli, argv, environment)
  const code = await started.ended
  return { code, out: started.out(), err: started.err() }
}

/** Waits until something holds. */
export async function until(what: string, holds: () => boolean, timeoutMs = 20_000): Promise<void> {
  const begun = Date.now()
  while (!holds()) {
    if (Date.now() - begun > timeoutMs) throw new Error(`${what}: not within ${timeoutMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
