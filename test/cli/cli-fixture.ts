import pc from 'picocolors'
import { runCli } from '../../src/cli/run-cli.js'
import type { Terminal } from '../../src/cli/terminal/terminal.js'
import { loadConfig } from '../../src/server/config/config.js'
import type { Gateway } from '../../src/server/gateway.js'
import { startGateway } from '../../src/server/gateway.js'

/** Starts a gateway, by default over a store in memory. */
export function openGateway(environment: Record<string, string> = {}): Promise<Gateway> {
  const config = loadConfig(
    { CADASTRE_STORE: 'memory', PORT: '0', CADASTRE_LOG_LEVEL: 'silent', ...environment },
    '/nowhere',
  )
  return startGateway(config)
}

export interface CliRun {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface CapturedTerminal extends Terminal {
  readonly out: string[]
  readonly err: string[]
  readonly stop: AbortController
}

/** A terminal that records the output, by default without colours. */
function capturedTerminal(colors = false): CapturedTerminal {
  const out: string[] = []
  const err: string[] = []
  const stop = new AbortController()
  return {
    out,
    err,
    stop,
    write: async (text) => {
      out.push(text)
    },
    note: (line) => {
      err.push(`${line}\n`)
    },
    colors: pc.createColors(colors),
    showsProgress: false,
    interrupt: () => stop.signal,
  }
}

/** Runs one command line against a gateway. */
export async function cli(gateway: { readonly url: string }, ...argv: string[]): Promise<CliRun> {
  const terminal = capturedTerminal()
  const code = await runCli(argv, { terminal, defaultUrl: gateway.url, version: '0.0.0' })
  return { code, out: terminal.out.join(''), err: terminal.err.join('') }
}
