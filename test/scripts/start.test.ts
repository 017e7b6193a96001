import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { processesBelow, scratchFolder, until } from '../store/embedded/scratch-folder.js'
import { freePort } from '../support/throwaway-server.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Returns the processes with this word in their environment: everything that an `npm start` of the test started. */
function processesMarked(word: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(word)
      } catch {
        return false
      }
    })
}

describe.runIf(process.platform === 'linux')('npm start', () => {
  const undo: (() => unknown)[] = []
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step()
  })

  /** Runs `npm start` with its own folder and port. Resolves when it prints its address. */
  async function start(
    dataDir: string,
  ): Promise<{ npm: ChildProcess; url: string; output(): string; ended: Promise<unknown[]> }> {
    const port = await freePort()
    const { DATABASE_URL: _, NODE_ENV: __, ...inherited } = process.env
    const npm = spawn('npm', ['start'], {
      cwd: root,
      env: { ...inherited, PORT: String(port), HOST: '127.0.0.1', CADASTRE_DATA_DIR: dataDir },
    })
    undo.push(() => npm.kill('SIGKILL'))
    const ended = once(npm, 'exit')
    let said = ''
    for (const stream of [npm.stdout, npm.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const url = `http://127.0.0.1:${port}`
    await until(() => {
      if (npm.exitCode !== null) throw new Error(`npm start ended: ${said}`)
      return said.includes(url)
    })
    return { npm, url, output: () => said, ended }
  }
  const scratch = (): string => {
    const folder = scratchFolder()
    undo.push(folder.remove)
    return folder.path
  }
  const answers = (url: string) =>
    fetch(`${url}/readyz`).then(
      ({ status }) => status,
      () => 0,
    )

  it('serves, and ends with exit code 0 and nothing left running after a SIGTERM to npm', async () => {
    const dataDir = join(scratch(), 'with a space')
    const { npm, url, output, ended } = await start(dataDir)
    expect(await answers(url)).toBe(200)
    expect(output()).toContain('Starting the gateway and its store …\n')
    expect(processesMarked(dataDir).length).toBeGreaterThan(1)
    npm.kill('SIGTERM')
    const [code] = await ended
    expect(code, output()).toBe(0)
    expect(processesMarked(dataDir)).toEqual([])
    expect(processesBelow(dataDir)).toEqual([])
    expect(await answers(url)).toBe(0)
  })

  it('leaves nothing running when npm is killed with SIGKILL, and serves the same data again', async () => {
    const dataDir = scratch()
    const first = await start(dataDir)
    first.npm.kill('SIGKILL')
    await until(() => processesMarked(dataDir).length === 0 && processesBelow(dataDir).length === 0)
    const second = await start(dataDir)
    expect(await answers(second.url)).toBe(200)
    second.npm.kill('SIGINT')
    expect((await second.ended)[0]).toBe(0)
  })

  it('fails with one clear line and an exit code if another gateway uses the folder', async () => {
    const dataDir = scratch()
    const first = await start(dataDir)
    await expect(start(dataDir)).rejects.toThrow(
      /npm start ended:[\s\S]*is in use by the gateway with process id \d+[\s\S]*DATABASE_URL/,
    )
    expect(await answers(first.url)).toBe(200)
    first.npm.kill('SIGTERM')
    await first.ended
  })
})
