import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { RegistryError } from '../../../../src/core/errors/registry-error.js'
import type { History } from '../../../../src/store/contract/history.js'
import { findBinaries } from '../../../../src/store/embedded/binaries.js'
import { openPostgresHistory } from '../../../../src/store/postgres/postgres-history.js'
import { apply, changeset, commitOne, create, historyOptions } from '../../../support/commit-requests.js'
import { freePort } from '../../../support/throwaway-server.js'

const AS_NOBODY = 'unshare --user --map-user=65534 --map-group=65534'
const AS_US = process.getuid?.() === 0 ? AS_NOBODY : ''

/**
 * A server whose data lie on a disk of 160 MB, in memory, in a mount namespace of its own. It starts again
 * by itself, as a supervisor would have it, since a full disk may make it stop.
 */
class SmallDisk {
  readonly folder = mkdtempSync(join(tmpdir(), 'cadastre-disk-'))
  port = 0
  #process: ChildProcess | undefined

  async start(): Promise<string> {
    this.port = await freePort()
    const { initdb, postgres } = findBinaries()
    const script = `
      mount -t tmpfs -o size=160m,mode=777 tmpfs "$1" && mkdir -m 777 "$1/socket" || exit 1
      ${AS_US} '${initdb}' -D "$1/cluster" -U cadastre -A trust -E UTF8 --locale=C --no-sync > /dev/null || exit 1
      echo mounted
      while [ ! -e "$1/stop" ]; do
        ${AS_US} '${postgres}' -D "$1/cluster" -c listen_addresses=127.0.0.1 -c port=${this.port} -c unix_socket_directories="$1/socket" -c max_wal_size=32MB -c wal_level=minimal -c max_wal_senders=0
        sleep 0.3
      done`
    const outer = process.getuid?.() === 0 ? ['--mount'] : ['--mount', '--user', '--map-root-user']
    this.#process = spawn('unshare', [...outer, 'sh', '-c', script, 'sh', this.folder], {
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    })
    await once(this.#process.stdout!, 'data')
    return `postgres://cadastre@127.0.0.1:${this.port}/postgres`
  }

  /** The path of the disk. */
  get #inside(): string {
    return `/proc/${this.#process!.pid}/root${this.folder}`
  }

  /** Fills the disk except for this many bytes. */
  fill(leave: number): void {
    const { bavail, bsize } = statfsSync(this.#inside)
    writeFileSync(join(this.#inside, 'filler'), Buffer.alloc(Math.max(0, bavail * bsize - leave)))
  }

  empty(): void {
    rmSync(join(this.#inside, 'filler'), { force: true })
  }

  async stop(): Promise<void> {
    const ended = once(this.#process!, 'exit')
    process.kill(-this.#process!.pid!, 'SIGKILL')
    await ended
    rmSync(this.folder, { recursive: true, force: true })
  }
}

describe('a full disk', () => {
  const disk = new SmallDisk()
  let history: History

  beforeAll(async () => {
    const databaseUrl = await disk.start()
    history = await vi.waitFor(
      () =>
        openPostgresHistory({
          ...historyOptions,
          databaseUrl,
          backend: 'postgres',
          connections: 2,
          readTimeoutMs: 2_000,
          commitTimeoutMs: 4_000,
        }),
      { timeout: 120_000, interval: 200 },
    )
  })
  afterAll(async () => {
    await history?.close()
    await disk.stop()
  })

  it('makes writes fail with a clear error and completely, until there is space again', async () => {
    const acknowledged: string[] = []
    const codes = new Set<string>()
    const write = async (name: string): Promise<boolean> => {
      try {
        const outcome = await commitOne(
          history,
          changeset([create(`${name}:a`, 'thing', {}, 'x'.repeat(500_000)), create(`${name}:b`)]),
        )
        if (outcome.type === 'applied') acknowledged.push(name)
        return outcome.type === 'applied'
      } catch (error) {
        if (!(error instanceof RegistryError)) throw error
        codes.add(error.code)
        return false
      }
    }
    expect(await write('before')).toBe(true)
    disk.fill(2_000_000)
    let refused = 0
    for (let i = 0; refused < 3 && i < 200; i++) if (!(await write(`full${i}`))) refused++
    expect(refused).toBe(3)
    expect([...codes].filter((code) => !['UNAVAILABLE', 'OUTCOME_UNKNOWN', 'TIMEOUT'].includes(code))).toEqual([])

    disk.empty()
    await expect
      .poll(() => write(`after${acknowledged.length}${Math.random()}`), { timeout: 60_000, interval: 500 })
      .toBe(true)
    const state = await history.namespaces('head')
    for (const name of acknowledged) expect(state).toContainEqual({ name, entryCount: 2 })
    expect(state.every(({ entryCount }) => entryCount === 2)).toBe(true)
    expect((await history.verify()).corruptions).toEqual([])
    await apply(history, create('end:x'))
  })
})
