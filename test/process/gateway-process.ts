import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { bundleForChild } from '../support/bundle-for-child.js'

export interface RunningProcess {
  readonly child: ChildProcess
  readonly said: { out: string; err: string }
  readonly exited: Promise<number | null>
}

export interface GatewayProcess extends RunningProcess {
  readonly url: string
  readonly endpoint: string
}

export interface GatewayProcesses {
  run(environment: Record<string, string>): RunningProcess
  /** Starts a gateway and waits until it prints its URLs. */
  start(environment?: Record<string, string>): Promise<GatewayProcess>
  /** Kills all gateways and removes their files. */
  remove(): Promise<void>
}

/** Starts gateways in processes of their own, from the current sources, by default over memory on a free port. */
export async function gatewayProcesses(): Promise<GatewayProcesses> {
  const bundle = await bundleForChild('src/server/main.ts')
  const folder = mkdtempSync(join(tmpdir(), 'cadastre-process-'))
  const children: ChildProcess[] = []

  function run(environment: Record<string, string>): RunningProcess {
    const child = spawn(process.execPath, [bundle], {
      cwd: folder,
      env: { PATH: process.env['PATH'], CADASTRE_STORE: 'memory', PORT: '0', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    children.push(child)
    const said = { out: '', err: '' }
    child.stdout.on('data', (data: Buffer) => {
      said.out += data.toString()
    })
    child.stderr.on('data', (data: Buffer) => {
      said.err += data.toString()
    })
    const exited = once(child, 'close').then(([code]) => code as number | null)
    return { child, said, exited }
  }

  return {
    run,
    async start(environment = {}) {
      const running = run(environment)
      const until = Date.now() + 60_000
      while (!running.said.out.includes('\n')) {
        if (Date.now() > until || running.child.exitCode !== null)
          throw new Error(`the gateway did not start: ${running.said.err}`)
        await sleep(10)
      }
      const [, url, endpoint] = /playground (\S+)\s+endpoint (\S+)\n$/.exec(running.said.out)!
      return { ...running, url: url!, endpoint: endpoint! }
    },
    async remove() {
      for (const child of children) if (child.exitCode === null) child.kill('SIGKILL')
      rmSync(folder, { recursive: true })
    },
  }
}
