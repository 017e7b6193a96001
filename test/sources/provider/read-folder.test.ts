import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import type { EntryId } from '../../../src/core/entry/entry-id.js'
import { failureText } from '../../../src/sources/forms/parse-entries.js'
import type { FolderReading } from '../../../src/sources/provider/read-folder.js'
import { readFolder } from '../../../src/sources/provider/read-folder.js'

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url))
const folders: string[] = []

async function temporary(files: Record<string, string | Uint8Array> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cadastre-read-'))
  folders.push(folder)
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true })
    await writeFile(join(folder, name), text)
  }
  return folder
}

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
})

const content = (reading: FolderReading, id: string) => {
  const entry = reading.entries.get(id as EntryId)
  return entry && { kind: entry.content.kind, meta: entry.content.meta, data: entry.content.data }
}

const failuresIn = (folder: string, reading: FolderReading) =>
  reading.failures.map((failure) => failureText({ ...failure, file: relative(folder, failure.file) }))

describe('a folder of entries', () => {
  it('is read recursively and in both forms', async () => {
    const reading = await readFolder(fixture('registry'))
    expect(reading.failures).toEqual([])
    expect([...reading.entries.keys()]).toEqual([
      'shop:db',
      'shop:cart',
      'shop:plain',
      'people:группа',
      'people:ann',
      'people:bob',
      'shop.web:gateway',
      'shop.web:home',
      'shop.web:cart',
    ])
    expect([...reading.namespaces].sort()).toEqual(['people', 'shop', 'shop.web'])
  })

  it('merges the meta of a document under that of each entry', async () => {
    const reading = await readFolder(fixture('registry'))
    expect(content(reading, 'shop:db')?.meta).toEqual({ team: 'checkout', tier: 1, comment: 'Orders and customers' })
    expect(content(reading, 'shop:cart')?.meta).toEqual({ team: 'checkout', tier: 2 })
  })

  it('uses the key data as data, or else all other keys', async () => {
    const reading = await readFolder(fixture('registry'))
    expect(content(reading, 'shop:cart')?.data).toEqual({ source: 'file://cart.lua', imports: { db: 'shop:db' } })
    expect(content(reading, 'shop:db')?.data).toEqual({ dsn: 'postgres://localhost/shop', pool: { max: 10 } })
    expect(content(reading, 'shop:plain')?.data).toEqual({})
  })

  it('reads a document that is one entry, and skips other documents', async () => {
    const reading = await readFolder(fixture('registry'))
    expect(content(reading, 'shop.web:gateway')).toEqual({
      kind: 'http.service',
      meta: { comment: 'The front door' },
      data: { addr: ':8080' },
    })
  })

  it('records the line of each entry', async () => {
    const { entries } = await readFolder(fixture('registry'))
    const lines = Object.fromEntries([...entries].map(([id, { line }]) => [id, line]))
    expect(lines).toMatchObject({
      'shop:db': 9,
      'shop:plain': 26,
      'shop.web:gateway': 2,
      'shop.web:home': 2,
      'shop.web:cart': 3,
      'people:bob': 3,
    })
  })

  it('reports unreadable files with their position, and continues with the rest', async () => {
    const folder = fixture('broken')
    const reading = await readFolder(folder)
    expect([...reading.entries.keys()]).toEqual(['app:good', 'app:fine'])
    expect(content(reading, 'app:good')?.data).toEqual({})
    expect(failuresIn(folder, reading)).toEqual([
      'a.yaml:5:5: app:bad kind: "not a kind" is not a kind: segments of letters, digits, _ and -, joined by dots',
      'a.yaml:7:5: the entry has no name or id',
      'b.yaml:6:1: Flow sequence in block collection must be sufficiently indented and end with a ]',
      'c.jsonl:2:27: expected a value',
      expect.stringMatching(/^c\.jsonl:3: app:good: is already defined at .*a\.yaml:3, which counts$/),
    ])
  })

  it('skips hidden folders, node_modules and files with other extensions', async () => {
    const bad = 'id: ['
    const folder = await temporary({
      '.git/a.yaml': bad,
      'node_modules/x/a.yaml': bad,
      'sub/.b.yaml': bad,
      'c.txt': bad,
      'd.yaml': 'id: a:b\nkind: k',
    })
    const reading = await readFolder(folder)
    expect(reading.failures).toEqual([])
    expect([...reading.entries.keys()]).toEqual(['a:b'])
    expect(reading.files).toBe(1)
  })

  it('follows links, but not in cycles', async () => {
    const folder = await temporary({ 'here/a.yaml': 'id: a:b\nkind: k' })
    await cp(join(folder, 'here'), join(folder, 'elsewhere'), { recursive: true })
    await writeFile(join(folder, 'elsewhere/a.yaml'), 'id: a:c\nkind: k')
    await symlink(folder, join(folder, 'here/round'))
    await symlink(join(folder, 'elsewhere'), join(folder, 'here/linked'))
    const reading = await readFolder(join(folder, 'here'))
    expect([...reading.entries.keys()].sort()).toEqual(['a:b', 'a:c'])
  })

  it('reports the line at which a file is not UTF-8', async () => {
    const folder = await temporary({
      'a.yaml': Buffer.concat([Buffer.from('id: a:b\nkind: k\nmeta: {t: "'), Buffer.from([0xff]), Buffer.from('"}')]),
    })
    expect(failuresIn(folder, await readFolder(folder))).toEqual(['a.yaml:3: is not UTF-8 text'])
  })

  it('skips a byte order mark', async () => {
    const reading = await readFolder(await temporary({ 'a.json': '\ufeff{"id":"a:b","kind":"k"}' }))
    expect([...reading.entries.keys()]).toEqual(['a:b'])
  })
})

describe('a path of a file', () => {
  it('must define entries', async () => {
    const folder = await temporary({
      'package.json': '{"name":"x"}',
      'notes.txt': 'x',
      'none.yaml': 'namespace: a\nentries: []',
    })
    const messages = async (name: string) => failuresIn(folder, await readFolder(join(folder, name)))
    expect(await messages('package.json')).toEqual([expect.stringContaining('defines no entries')])
    expect(await messages('notes.txt')).toEqual([expect.stringContaining('has an unknown extension')])
    expect(await messages('none.yaml')).toEqual([])
  })

  it('is an error if the file does not exist', async () => {
    await expect(readFolder(join(tmpdir(), 'nothing-here'))).rejects.toThrow('ENOENT')
  })
})

describe('an entry in the entry form', () => {
  const read = async (text: string) => {
    const folder = await temporary({ 'a.yaml': text })
    const reading = await readFolder(folder)
    return { ids: [...reading.entries.keys()], failures: failuresIn(folder, reading), reading }
  }

  it('may have an id in two parts', async () => {
    expect((await read('id: {ns: a, name: "b:c"}\nkind: k')).ids).toEqual(['a:b:c'])
  })

  it('is refused with an unknown key, so that a typo loses nothing', async () => {
    expect((await read('- {id: a:b, kind: k, metadata: {}}\n- {id: a:c, kind: k}')).failures).toEqual([
      'a.yaml:1:3: "metadata" is not a field of an entry. Valid fields: id, kind, meta, data',
    ])
  })

  it('preserves keys with a special meaning in JavaScript', async () => {
    const { reading } = await read('id: a:b\nkind: k\ndata: {__proto__: {x: 1}, constructor: 2}')
    expect(JSON.stringify(content(reading, 'a:b')?.data)).toBe('{"__proto__":{"x":1},"constructor":2}')
  })

  it.each([
    ['id: a:b\nkind: 7', 'a.yaml:1:1: a:b: the kind of an entry must be text'],
    ['id: a:b\nmeta: {}', 'a.yaml:1:1: a:b: the entry has no kind'],
    ['id: ab\nkind: k', 'a.yaml:1:1: ab: "ab" has no colon; an id is namespace:name'],
    ['id: 12\nkind: k', 'a.yaml:1:1: the id or name of an entry must be text'],
    ['id: a:b\nkind: k\nmeta: [1]', 'a.yaml:1:1: a:b: meta is not a JSON object. Send an object, null or nothing.'],
    ['id: a:b\nkind: k\ndata: {t: "\\0"}', 'a.yaml:1:1: a:b: data.t holds U+0000, which cannot be stored'],
    ['namespace: 7\nentries: []', 'a.yaml:1:12: the namespace must be text'],
    ['namespace: a\nentries: {b: {}}', 'a.yaml:2:10: entries must be a list'],
    ['namespace: a\nentries: [b]', 'a.yaml:2:11: an entry must be an object with name and kind'],
    ['namespace: a\nmeta: x\nentries: []', 'a.yaml:2:7: the meta of the document must be an object'],
    ['namespace: a\nname: b', 'a.yaml:1:1: a:b: the entry has no kind'],
  ])('is refused with its position if it is wrong: %j', async (text, message) => {
    expect((await read(text)).failures).toEqual([message])
  })
})
