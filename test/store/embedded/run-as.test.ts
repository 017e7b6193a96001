import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { completeBinaries, findBinaries } from '../../../src/store/embedded/binaries.js'
import { durableSettings } from '../../../src/store/embedded/postgres-settings.js'
import { launchPostmaster } from '../../../src/store/embedded/postmaster.js'
import { prepareCluster } from '../../../src/store/embedded/prepare-cluster.js'
import { chooseRunAs, type RunAs } from '../../../src/store/embedded/run-as.js'
import { socketFolder, unixSocketUrl } from '../../../src/store/embedded/socket-folder.js'
import { startEmbeddedPostgres } from '../../../src/store/embedded/start-embedded-postgres.js'
import { query, scratchFolder } from './scratch-folder.js'

const notAllowed: RunAs = {
  description: 'in a user namespace',
  prefix: ['/bin/sh', '-c', 'echo unshare failed: Operation not permitted >&2; exit 1'],
}

describe('the choice of the user that runs the server', () => {
  const undo: (() => unknown)[] = []
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step()
  })
  const scratch = (): string => {
    const folder = scratchFolder()
    undo.push(folder.remove)
    return folder.path
  }

  it('fails with the error of every way, and leaves the folder unchanged', () => {
    const folder = scratch()
    const before = statSync(folder)
    expect(() => chooseRunAs(findBinaries(), folder, [notAllowed])).toThrow(
      /in a user namespace: unshare failed: Operation not permitted.*other than root.*DATABASE_URL/,
    )
    expect(statSync(folder)).toMatchObject({ uid: before.uid, gid: before.gid })
  })

  describe.runIf(process.getuid?.() === 0)('for root', () => {
    const nobody: RunAs = { description: 'as user 65534', prefix: [], user: { uid: 65_534, gid: 65_534 } }

    it('is another user, who then owns the data, if namespaces are not allowed', async () => {
      const open = scratch()
      chmodSync(open, 0o755)
      // Programs and data must be where that user can reach them, which may not hold for this project's folder.
      cpSync(findBinaries().native, join(open, 'native'), { recursive: true, verbatimSymlinks: true })
      const binaries = completeBinaries(join(open, 'native'))
      const folder = join(open, 'data')
      mkdirSync(folder, { mode: 0o700 })
      const as = chooseRunAs(binaries, folder, [notAllowed, nobody])
      expect(as).toBe(nobody)
      const sockets = socketFolder(folder, as.user)
      await prepareCluster(join(folder, 'cluster'), binaries, as)
      const server = await launchPostmaster({
        binaries,
        as,
        cluster: join(folder, 'cluster'),
        settings: durableSettings(sockets),
        log: () => undefined,
      })
      expect(await query(unixSocketUrl(sockets, 'cadastre'), 'SELECT 1 AS one')).toEqual([{ one: 1 }])
      expect(statSync(`/proc/${server.pid}`).uid).toBe(65_534)
      await server.stop()
      // The next start finds the owner of the data.
      expect(chooseRunAs(binaries, folder).user).toEqual({ uid: 65_534, gid: 65_534 })
    })

    // The embedded Postgres of a gateway run by root was uid 0 to the rest of the system, whatever it saw itself.
    it('is another user first, who adopts data that was written by root in a namespace', async () => {
      const open = scratch()
      chmodSync(open, 0o755)
      cpSync(findBinaries().native, join(open, 'native'), { recursive: true, verbatimSymlinks: true })
      const binaries = completeBinaries(join(open, 'native'))
      const folder = join(open, 'data')
      mkdirSync(folder, { mode: 0o700 })
      const cluster = join(folder, 'cluster')
      const serve = async (as: RunAs, sql: string) => {
        const sockets = socketFolder(folder, as.user)
        await prepareCluster(cluster, binaries, as)
        const settings = durableSettings(sockets)
        const server = await launchPostmaster({ binaries, as, cluster, settings, log: () => undefined })
        try {
          return {
            rows: await query(unixSocketUrl(sockets, 'cadastre'), sql),
            uid: statSync(`/proc/${server.pid}`).uid,
          }
        } finally {
          await server.stop()
        }
      }
      const unshare = ['unshare', '--user', '--map-user=65534', '--map-group=65534']
      const inNamespace: RunAs = { description: 'in a user namespace', prefix: unshare }
      try {
        chooseRunAs(binaries, folder, [inNamespace])
      } catch {
        return // This system allows no namespaces, so it has no such data.
      }
      await serve(inNamespace, 'CREATE TABLE kept AS SELECT 7 AS seven')
      expect(statSync(cluster).uid).toBe(0)
      const { uid, gid } = chooseRunAs(binaries, folder).user!
      expect(uid).not.toBe(0)
      // A start that was killed while the files changed their owner.
      chownSync(join(cluster, 'PG_VERSION'), 0, 0)
      const as = chooseRunAs(binaries, folder)
      expect(as.user).toEqual({ uid, gid })
      expect(await serve(as, 'SELECT seven FROM kept')).toEqual({ rows: [{ seven: 7 }], uid })
    })

    // Below a folder such as /root the server was uid 0 to the rest of the system: no other user could reach the data.
    it('is another user below a folder that only root may enter, too', async () => {
      const dataDir = join(scratch(), "it's", 'closed')
      mkdirSync(dataDir, { recursive: true, mode: 0o700 })
      if (spawnSync('unshare', ['--mount', 'true']).status !== 0) return // This system does not let root mount.
      const server = await startEmbeddedPostgres({ dataDir })
      undo.push(server.stop)
      expect(statSync(`/proc/${server.pid()}`).uid).not.toBe(0)
      expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
      expect(readdirSync(join(dataDir, 'postgres')).sort()).toEqual(['cluster', 'owner.1', 'postgres.log', 'socket'])
    })

    // The server's user owned the folder, and could put a link in it that led root to any file.
    it('owns the cluster and the socket, and nothing beside them', async () => {
      const dataDir = scratch()
      chmodSync(dataDir, 0o711)
      const folder = join(dataDir, 'postgres')
      mkdirSync(folder, { mode: 0o700 })
      const other = join(dataDir, 'other')
      writeFileSync(other, 'unchanged')
      // As an older gateway left it.
      chownSync(folder, 65_534, 65_534)
      for (const name of ['postgres.log', 'owner.1.retired', 'owner.2.retired']) symlinkSync(other, join(folder, name))
      const server = await startEmbeddedPostgres({ dataDir })
      expect(statSync(folder)).toMatchObject({ uid: 0, gid: 0 })
      const { uid } = statSync(`/proc/${server.pid()}`)
      for (const entry of readdirSync(folder, { withFileTypes: true }))
        expect([entry.name, lstatSync(join(folder, entry.name)).uid]).toEqual([
          entry.name,
          entry.isDirectory() ? uid : 0,
        ])
      const write = spawnSync('sh', ['-c', 'cd "$1" && touch new', 'sh', folder], { uid: 65_534, gid: 65_534 })
      expect(write.status).not.toBe(0)
      await server.stop()
      expect(readFileSync(other, 'utf8')).toBe('unchanged')
      expect(statSync(other).uid).toBe(0)
    })

    it('gets no file that a link in the cluster leads to', () => {
      const open = scratch()
      chmodSync(open, 0o755)
      const folder = join(open, 'data')
      mkdirSync(join(folder, 'cluster', 'base'), { recursive: true, mode: 0o700 })
      writeFileSync(join(open, 'other'), '')
      symlinkSync(join(open, 'other'), join(folder, 'cluster', 'base', 'link'))
      const way = { ...nobody, prefix: ['/bin/sh', '-c', 'exit 0'] }
      expect(chooseRunAs(findBinaries(), folder, [way])).toBe(way)
      expect(statSync(join(folder, 'cluster', 'base')).uid).toBe(65_534)
      expect(statSync(join(open, 'other')).uid).toBe(0)
    })

    it('is never a user who cannot reach the data', () => {
      const folder = join(scratch(), 'data')
      mkdirSync(folder, { mode: 0o700 })
      writeFileSync(join(folder, 'file'), '')
      expect(() => chooseRunAs(findBinaries(), folder, [nobody])).toThrow(/as user 65534: .*(?:denied|can't cd)/i)
      expect(statSync(join(folder, 'file')).uid).toBe(0)
    })
  })
})
