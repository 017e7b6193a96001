import fs from 'node:fs'
import { appendFile, chmod, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { FilesystemSourceOptions } from '../../../src/sources/filesystem/filesystem-source.js'
import { entry, type Files, Following, type ScanResult, temporaryFolder, write } from './folder-fixture.js'

/** A folder that is watched, and scanned after each reported change. */
async function watched(files: Files, options: Partial<FilesystemSourceOptions> = {}) {
  const folder = await temporaryFolder(files)
  const path = join(folder, 'root')
  const following = new Following({ path, form: 'entry', ...options })
  const stop = new AbortController()
  let changes = 0
  const ended = following.reader.watch!(() => void changes++, stop.signal)
  onTestFinished(async () => {
    stop.abort()
    await ended
  })
  await following.scan().catch(() => {})
  await following.scan().catch(() => {})
  /** Scans after each reported change until the result fits. */
  const until = async (fits: (result: ScanResult) => boolean): Promise<ScanResult> => {
    for (const end = performance.now() + 55_000; performance.now() < end; ) {
      const before = changes
      const result = await following.scan().catch(() => undefined)
      if (result !== undefined && fits(result)) return result
      while (changes === before && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    throw new Error('The watch reported no change with this result within 55 s')
  }
  return { ...following, following, folder: path, until, stop, ended, changes: () => changes }
}

/** Disables the periodic checks, so that only watches report changes. */
const WATCHES_ALONE = { timing: { rootMs: 60_000, backstopMs: 60_000 } }
const gives =
  (...ids: string[]) =>
  (result: ScanResult) =>
    ids.every((id) => result.ids.includes(id))

describe('a watched folder', () => {
  it('reports files that are created, written, saved by renaming, and removed', async () => {
    const { folder, until } = await watched(
      { 'root/a.json': entry('a:1'), 'root/b/c.json': entry('c:1') },
      WATCHES_ALONE,
    )
    await writeFile(join(folder, 'new.json'), entry('n:1'))
    expect((await until(gives('n:1'))).read).toEqual(['new.json'])
    await writeFile(join(folder, 'b/c.json'), entry('c:2'))
    expect((await until(gives('c:2'))).read).toEqual(['b/c.json'])
    await writeFile(join(folder, 'a.json~'), entry('a:2'))
    await rename(join(folder, 'a.json~'), join(folder, 'a.json'))
    expect((await until(gives('a:2'))).read).toEqual(['a.json'])
    await rm(join(folder, 'b/c.json'))
    expect((await until((result) => !result.locations.includes('b/c.json'))).locations).toEqual(['a.json', 'new.json'])
  })

  it('reports folders that are created, moved in, renamed, exchanged and removed, and changes in them', async () => {
    const { folder, until } = await watched(
      { 'root/a.json': entry('a:1'), 'beside/x/y.json': entry('y:1'), 'other/y.json': entry('y:2') },
      WATCHES_ALONE,
    )
    await write(folder, { 'deep/er/and/deeper.json': entry('d:1') })
    await until(gives('d:1'))
    await appendFile(join(folder, 'deep/er/and/deeper.json'), ' ')
    await until((result) => result.read.includes('deep/er/and/deeper.json'))
    await rename(join(folder, '../beside/x'), join(folder, 'x'))
    await until(gives('y:1'))
    await rename(join(folder, 'x'), join(folder, 'z'))
    await until((result) => result.locations.includes('z/y.json') && !result.locations.includes('x/y.json'))
    await writeFile(join(folder, 'z/w.json'), entry('w:1'))
    await until(gives('w:1'))
    await rename(join(folder, 'z'), join(folder, '../was'))
    await rename(join(folder, '../other'), join(folder, 'z'))
    await until(gives('y:2'))
    await writeFile(join(folder, 'z/y.json'), entry('y:3'))
    await until(gives('y:3'))
    await rm(join(folder, 'z'), { recursive: true })
    expect((await until((result) => result.locations.length === 2)).locations).toEqual([
      'a.json',
      'deep/er/and/deeper.json',
    ])
  })

  it('reports links that change, and changes at their targets', async () => {
    const { folder, until } = await watched(
      { 'root/.r/1/a.json': entry('a:1'), 'root/.r/2/a.json': entry('a:2'), 'root/x.json': entry('x:x') },
      WATCHES_ALONE,
    )
    await symlink('.r/1', join(folder, 'current'))
    await until(gives('a:1'))
    await symlink('.r/2', join(folder, 'next'))
    await rename(join(folder, 'next'), join(folder, 'current'))
    await until(gives('a:2'))
    await writeFile(join(folder, '.r/2/a.json'), entry('a:3'))
    await until(gives('a:3'))
  })

  it('checks only folders with events', async () => {
    const heard = replaceWatch(
      (real) => (path, options) =>
        String(path).endsWith('/deaf') ? deafened(real(path, options)) : real(path, options),
    )
    const { folder, until, scan } = await watched(
      { 'root/deaf/x.json': entry('a:1'), 'root/b/x.json': entry('b:1') },
      WATCHES_ALONE,
    )
    await writeFile(join(folder, 'deaf/x.json'), entry('a:2'))
    await writeFile(join(folder, 'b/x.json'), entry('b:2'))
    const result = await until(gives('b:2'))
    expect([result.read, result.locations]).toEqual([['b/x.json'], ['b/x.json', 'deaf/x.json']])
    expect((await scan()).read).toEqual([])
    expect(heard).toHaveBeenCalled()
  })

  it('reads a file again if an included file changes, wherever it is', async () => {
    const { folder, until } = await watched(
      {
        'root/a/lib.txt': '1',
        'root/z/i.json': entry('z:z', 'file://../a/lib.txt'),
        'root/b/i.json': entry('b:b', 'file://../z/lib.txt'),
        'root/z/lib.txt': '1',
      },
      WATCHES_ALONE,
    )
    await writeFile(join(folder, 'a/lib.txt'), '2')
    expect((await until(gives('z:z'))).data).toEqual({ 'z:z': '2' })
    await writeFile(join(folder, 'z/lib.txt'), '2')
    expect((await until(gives('b:b'))).data).toEqual({ 'b:b': '2' })
  })

  it('may be removed and created again', async () => {
    const { folder, until, scan } = await watched({ 'root/a.json': entry('a:1') }, { timing: { rootMs: 50 } })
    await rm(folder, { recursive: true })
    await expect(scan()).rejects.toThrow(/cannot be read/)
    await mkdir(folder)
    await writeFile(join(folder, 'a.json'), entry('a:2'))
    await until(gives('a:2'))
    await writeFile(join(folder, 'b.json'), entry('b:b'))
    await until(gives('b:b'))
    await rename(folder, `${folder}-old`)
    await mkdir(folder)
    await writeFile(join(folder, 'c.json'), entry('c:c'))
    expect((await until(gives('c:c'))).locations).toEqual(['c.json'])
  })

  it('may not exist yet', async () => {
    const { folder, until } = await watched({ 'none/x': '' }, { timing: { rootMs: 50 } })
    await mkdir(folder)
    await writeFile(join(folder, 'a.json'), entry('a:1'))
    await until(gives('a:1'))
    await writeFile(join(folder, 'a.json'), entry('a:2'))
    await until(gives('a:2'))
  })

  it('reports a changed schema', async () => {
    const schema = join(await temporaryFolder({ 's.json': 'true' }), 's.json')
    const { until } = await watched({ 'root/a.json': entry('a:1') }, { timing: { rootMs: 50 }, schemas: { k: schema } })
    await writeFile(schema, 'false')
    await until((result) => result.failures.length === 1)
  })

  it('recovers from missed events', async () => {
    replaceWatch((real) => (path, options) => deafened(real(path, options)))
    const { folder, until } = await watched(
      { 'root/a/b.json': entry('a:1') },
      { timing: { rootMs: 60_000, backstopMs: 100 } },
    )
    await writeFile(join(folder, 'a/b.json'), entry('a:2'))
    await until(gives('a:2'))
  })

  it('is polled if the system refuses to watch it, and reports that once', async () => {
    replaceWatch(() => () => {
      throw Object.assign(new Error("ENOSPC: System limit for number of file watchers reached, watch 'x'"), {
        code: 'ENOSPC',
      })
    })
    const reports: string[] = []
    const { folder, until } = await watched(
      { 'root/a/b.json': entry('a:1'), 'root/c/d.json': entry('c:1') },
      {
        timing: { rootMs: 60_000, backstopMs: 60_000, pollMs: 100 },
        report: (message) => reports.push(message),
      },
    )
    await writeFile(join(folder, 'a/b.json'), entry('a:2'))
    await until(gives('a:2'))
    expect(reports).toEqual([
      expect.stringMatching(/cannot be watched completely \(ENOSPC.*every 0\.1 s instead.*max_user_watches/),
    ])
  })

  it.skipIf(process.geteuid?.() !== 0)('recovers when its folders become readable again', async () => {
    const { folder, until } = await watched({ 'root/a/b.json': entry('a:1') }, WATCHES_ALONE)
    await chmod(join(folder, '..'), 0o755)
    await chmod(join(folder, 'a'), 0)
    process.seteuid!(65_534)
    try {
      await until((result) => result.faults.includes('a: cannot be read: EACCES: permission denied'))
    } finally {
      process.seteuid!(0)
    }
    await chmod(join(folder, 'a'), 0o755)
    await until((result) => result.failures.length === 0 && result.locations.includes('a/b.json'))
  })

  it('reports nothing without a change, and nothing after it is aborted', async () => {
    const { folder, changes, stop, ended, scan } = await watched(
      { 'root/a.json': entry('a:1') },
      { timing: { rootMs: 20, backstopMs: 20 } },
    )
    await scan()
    const before = changes()
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(changes()).toBe(before)
    stop.abort()
    await ended
    await writeFile(join(folder, 'a.json'), entry('a:2'))
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(changes()).toBe(before)
    expect((await scan()).ids).toEqual(['a:2'])
  })
})

type Watch = (path: fs.PathLike, options: fs.WatchOptions) => fs.FSWatcher

/** Simulates watching on a system that is not available here. */
function replaceWatch(by: (real: Watch) => Watch) {
  const real = fs.watch.bind(fs) as Watch
  const spy = vi.spyOn(fs, 'watch').mockImplementation(by(real) as typeof fs.watch)
  syncBuiltinESMExports()
  onTestFinished(() => {
    spy.mockRestore()
    syncBuiltinESMExports()
  })
  return spy
}

function deafened(watcher: fs.FSWatcher): fs.FSWatcher {
  watcher.on = () => watcher
  return watcher
}
