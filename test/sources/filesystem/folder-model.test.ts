import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Registry } from '../../../src/registry/registry.js'
import type { SourceReader } from '../../../src/sources/contract/source-reader.js'
import { openFilesystemSource } from '../../../src/sources/filesystem/filesystem-source.js'
import { memoryRegistry } from '../../registry/registry-fixture.js'
import { thing } from '../sync/map-source.js'
import { TestSource } from '../sync/sync-fixture.js'

/** A seeded random generator, so that a failing run can be repeated. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const FOLDERS = ['.', 'one', 'two', 'one/deep', 'moved']
const NAMES = ['a.json', 'b.json', 'c.jsonl', 'd.yaml']

class Folder {
  readonly root = mkdtempSync(join(tmpdir(), 'cadastre-folder-'))
  readonly #next: (below: number) => number
  #serial = 0

  constructor(seed: number) {
    this.#next = numbers(seed)
    mkdirSync(join(this.root, '.kept'))
  }

  change(): string {
    const names = Object.keys(CHANGES)
    const name = names[this.#next(names.length)]!
    CHANGES[name]!(this)
    return name
  }

  below(number: number): number {
    return this.#next(number)
  }

  /** A random path for a file in an existing folder. */
  place(): string {
    const path = join(this.root, FOLDERS[this.#next(FOLDERS.length)]!, NAMES[this.#next(NAMES.length)]!)
    mkdirSync(dirname(path), { recursive: true })
    return path
  }

  file(): string | undefined {
    const files = this.files()
    return files[this.#next(Math.max(1, files.length))]
  }

  files(): string[] {
    return readdirSync(this.root, { recursive: true, encoding: 'utf8' })
      .filter((path) => !path.startsWith('.kept'))
      .map((path) => join(this.root, path))
      .filter((path) => !existsSync(path) || statSync(path).isFile())
      .sort()
  }

  text(path: string): string {
    const things = Array.from({ length: this.#next(3) }, () =>
      thing(`app:${this.#next(12)}`, this.#next(3), {}, `kind${this.#next(2)}.thing`),
    )
    return path.endsWith('.jsonl') ? things.map((each) => `${JSON.stringify(each)}\n`).join('') : JSON.stringify(things)
  }

  hidden(path: string, text: string): string {
    const hidden = join(this.root, '.kept', `${this.#serial++}-${path.split('/').at(-1)!}`)
    writeFileSync(hidden, text)
    return hidden
  }
}

/** Replaces a link that was moved and is dangling by a file. */
function write(path: string, text: string): void {
  if (!existsSync(path)) rmSync(path, { force: true })
  writeFileSync(path, text)
}

const CHANGES: Readonly<Record<string, (folder: Folder) => void>> = {
  create(folder) {
    const path = folder.place()
    rmSync(path, { force: true })
    writeFileSync(path, folder.text(path))
  },
  edit(folder) {
    const path = folder.file()
    if (path !== undefined) write(path, folder.text(path))
  },
  rename(folder) {
    const path = folder.file()
    if (path !== undefined) renameSync(path, folder.place())
  },
  saveAtomically(folder) {
    const path = folder.place()
    renameSync(folder.hidden(path, folder.text(path)), path)
  },
  swapLink(folder) {
    const path = folder.place()
    rmSync(path, { force: true })
    symlinkSync(relative(dirname(path), folder.hidden(path, folder.text(path))), path)
  },
  delete(folder) {
    const path = folder.file()
    if (path !== undefined) rmSync(path)
  },
  spoil(folder) {
    const path = folder.file()
    if (path !== undefined) write(path, '[{"id": "app:1", ')
  },
  moveFolder(folder) {
    const from = join(folder.root, 'one')
    const to = join(folder.root, 'moved')
    if (folder.below(2) === 0 && existsSync(to)) rmSync(to, { recursive: true })
    if (existsSync(from) && !existsSync(to)) renameSync(from, to)
  },
}

async function state(registry: Registry): Promise<unknown> {
  const { items } = await registry.history.findEntries(
    { all: [] },
    'ID_ASC',
    { limit: 1_000, after: null, before: null, fromEnd: false },
    'head',
  )
  return items.map(({ id, content }) => [id, content.kind, content.data])
}

describe('a folder with random changes', () => {
  it.each([1, 2, 3, 4, 5, 6])('converges to the result of a fresh scan (seed %i)', async (seed) => {
    const folder = new Folder(seed)
    const open = () => openFilesystemSource({ path: folder.root, form: 'entry' })
    const source = new TestSource<SourceReader>(memoryRegistry(), open())
    const done: string[] = []
    for (let i = 0; i < 600; i++) {
      done.push(folder.change())
      if (folder.below(3) === 0) await source.sync()
      if (folder.below(40) === 0) source.forget()
    }
    expect(new Set(done).size).toBe(Object.keys(CHANGES).length)
    for (const path of folder.files()) {
      rmSync(path)
      writeFileSync(path, folder.text(path))
      if (folder.below(4) === 0) await source.sync()
    }
    const result = await source.sync()
    const fresh = new TestSource<SourceReader>(memoryRegistry(), open())
    const loaded = await fresh.sync()
    expect(await state(source.registry)).toEqual(await state(fresh.registry))
    expect([result.loaded, result.failures.definitions]).toEqual([loaded.loaded, loaded.failures.definitions])
    const again = await source.sync()
    expect([again.created, again.updated, again.deleted]).toEqual([0, 0, 0])
    for (const { reader } of [source, fresh]) await reader.close()
    rmSync(folder.root, { recursive: true })
  })
})
