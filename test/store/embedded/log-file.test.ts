import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { openLogFile } from '../../../src/store/embedded/log-file.js'
import { scratchFolder } from './scratch-folder.js'

describe('the log of the embedded Postgres', () => {
  const undo: (() => unknown)[] = []
  afterEach(() => {
    for (const step of undo.splice(0)) step()
  })
  const scratch = (): string => {
    const folder = scratchFolder()
    undo.push(folder.remove)
    return folder.path
  }

  it('keeps the newest lines and never exceeds twice its limit', () => {
    const folder = scratch()
    for (const part of [0, 1]) {
      const log = openLogFile(
        join(folder, 'postgres.log'),
        (error) => {
          throw error
        },
        1_000,
      )
      for (let line = 0; line < 500; line++) log.write(`part ${part} line ${line}`)
      log.close()
    }
    expect(readdirSync(folder).sort()).toEqual(['postgres.log', 'postgres.log.1'])
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).size).toBeLessThan(1_050)
    expect(readFileSync(join(folder, 'postgres.log'), 'utf8')).toMatch(/part 1 line 499\n$/)
  })

  // The folder belonged to the server's user, and root opened the log in it by name.
  it.each([
    ['a symlink', (path: string, other: string) => symlinkSync(other, path)],
    ['a hard link', (path: string, other: string) => linkSync(other, path)],
    ['a pipe', (path: string) => void execFileSync('mkfifo', [path])],
  ])('replaces %s that has its name, and does not write to what it leads to', (_what, plant) => {
    const folder = scratch()
    const [path, other] = [join(folder, 'postgres.log'), join(folder, 'other')]
    writeFileSync(other, 'unchanged')
    plant(path, other)
    const log = openLogFile(path, () => undefined)
    log.write('a line')
    log.close()
    expect(readFileSync(path, 'utf8')).toBe('a line\n')
    expect(readFileSync(other, 'utf8')).toBe('unchanged')
  })

  it('reports once that it cannot be written, and does not throw', () => {
    const failures: string[] = []
    const folder = scratch()
    const log = openLogFile(join(folder, 'postgres.log'), (error) => failures.push(error.message), 0)
    // A folder has the name of the older file, so the file cannot be renamed.
    mkdirSync(join(folder, 'postgres.log.1', 'full'), { recursive: true })
    for (const line of ['one', 'two', 'three', 'four']) log.write(line)
    expect(failures).toHaveLength(1)
    log.close()
  })
})
