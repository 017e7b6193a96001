import { chmodSync, chownSync, cpSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { completeBinaries, findBinaries } from '../../../src/store/embedded/binaries.js'
import { durableSettings } from '../../../src/store/embedded/postgres-settings.js'
import { launchPostmaster } from '../../../src/store/embedded/postmaster.js'
import { prepareCluster } from '../../../src/store/embedded/prepare-cluster.js'
import { chooseRunAs, type RunAs } from '../../../src/store/embedded/run-as.js'
import { socketFolder, unixSocketUrl } from '../../../src/store/embedded/socket-folder.js'
import { query, scratchFolder } from './scratch-folder.js'

const notAllowed: RunAs = {
  description: 'in a user namespace',
  prefix: ['/bin/sh', '-c', 'echo unshare failed: Operation not permitted >&2; exit 1'],
}

describe('the choice of the user that runs the server', () => {
  const undo: (() => unknown)[] = []
  afterEach(() => {
    for (const step of undo.splice(0)) step()
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

    it('is never a user who cannot reach the data', () => {
      const folder = join(scratch(), 'data')
      mkdirSync(folder, { mode: 0o700 })
      writeFileSync(join(folder, 'file'), '')
      expect(() => chooseRunAs(findBinaries(), folder, [nobody])).toThrow(/as user 65534: .*(?:denied|can't cd)/i)
      expect(statSync(join(folder, 'file')).uid).toBe(0)
    })
  })
})
