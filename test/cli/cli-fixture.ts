import { createServer, request as requestHttp } from 'node:http'
import type { AddressInfo } from 'node:net'
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
    showStatus: () => {},
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

export interface Forwarder {
  readonly url: string
  close(): void
}

/**
 * A server between a client and a gateway. It waits for `before` with the body of each request, and closes the connection
 * instead of answering if `losesAnswer` returns true.
 */
export async function openForwarder(
  gateway: { readonly url: string },
  {
    before = async () => {},
    losesAnswer = () => false,
  }: {
    readonly before?: (body: string) => Promise<unknown>
    readonly losesAnswer?: (body: string) => boolean
  },
): Promise<Forwarder> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    await before(body.toString())
    const { method = 'GET', headers } = request
    requestHttp(new URL(request.url!, gateway.url), { method, headers }, (answer) => {
      if (losesAnswer(body.toString())) {
        // The gateway has answered in full, so what was written is written.
        answer.resume().on('end', () => response.destroy())
        return
      }
      response.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(response)
    }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
