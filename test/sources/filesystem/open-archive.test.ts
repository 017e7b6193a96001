import { truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32, deflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { entry, Following, follow, zip } from './folder-fixture.js'

interface Part {
  readonly name: string
  readonly content: Buffer | string
  /** False values for the headers. */
  readonly lies?: { readonly size?: number; readonly crc?: number; readonly offset?: number; readonly packed?: number }
  readonly mode?: number
  readonly flags?: number
  readonly method?: number
}

/** An archive written byte by byte, so that it can contain what no tool would write. */
function forged(parts: readonly Part[]): Buffer {
  const bodies: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const { name, content, lies, mode = 0o100644, flags = 0x800, method = 8 } of parts) {
    const bytes = Buffer.from(content)
    const packed = method === 8 ? deflateRawSync(bytes) : bytes
    const named = Buffer.from(name)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(flags, 2)
    common.writeUInt16LE(method, 4)
    common.writeUInt32LE(lies?.crc ?? crc32(bytes), 10)
    common.writeUInt32LE(lies?.packed ?? packed.length, 14)
    common.writeUInt32LE(lies?.size ?? bytes.length, 18)
    common.writeUInt16LE(named.length, 22)
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE(mode * 0x10000, 6)
    tail.writeUInt32LE(lies?.offset ?? offset, 10)
    directory.push(Buffer.from('PK\x01\x02\x14\x03', 'latin1'), common, tail, named)
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, named, packed])
    bodies.push(local)
    offset += local.length
  }
  const central = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(parts.length, 8)
  end.writeUInt16LE(parts.length, 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...bodies, central, end])
}

describe('an archive', () => {
  it('yields its files in order, with their own locations and lines', async () => {
    const { scan } = await follow({
      'x.zip': await zip({
        'b/c.yaml': 'id: a:c\nkind: k\n---\nid: a:d\nkind: k',
        'a.json': entry('a:a'),
        'readme.md': 'x',
        '.x/y.json': entry('h:h'),
        '__MACOSX/a.json': 'x',
      }),
      'x.yaml': 'id: a:x\nkind: k',
    })
    const result = await scan()
    expect(result.locations).toEqual(['x.yaml', 'x.zip!/a.json', 'x.zip!/b/c.yaml'])
    expect(result.ids).toEqual(['a:x', 'a:a', 'a:c', 'a:d'])
    expect(result.all[2]).toMatchObject({ entries: [{ line: 1 }, { line: 4 }] })
  })

  it('is not unpacked if unchanged; after a rewrite only changed files are read', async () => {
    const { scan, folder, stamps } = await follow({
      'x.zip': await zip({ 'a.json': entry('a:a'), 'b.json': entry('b:1') }),
    })
    await utimes(join(folder, 'x.zip'), new Date('2024-01-01'), new Date('2024-01-01'))
    await scan()
    expect((await scan()).read).toEqual([])
    const other = new Following({ path: folder, form: 'entry' })
    for (const stamp of stamps) other.stamps.set(...stamp)
    expect((await other.scan()).read).toEqual([])
    await writeFile(
      join(folder, 'x.zip'),
      await zip({ 'b.json': entry('b:2'), 'a.json': entry('a:a'), 'c.json': entry('c:c') }),
    )
    expect((await scan()).read).toEqual(['x.zip!/b.json', 'x.zip!/c.json'])
    const last = await scan()
    expect([last.read, last.locations]).toEqual([[], ['x.zip!/a.json', 'x.zip!/b.json', 'x.zip!/c.json']])
  })

  it('includes its own files by file://, and none from outside', async () => {
    const { scan } = await follow({
      'x.zip': await zip({
        'a/i.json':
          '[{"id":"a:a","kind":"k","data":{"code":"file://./main.js","up":"file://../top.txt"}},{"id":"a:b","kind":"k","data":"file://../../beside.txt"},{"id":"a:c","kind":"k","data":"file://none"}]',
        'a/main.js': 'run()',
        'top.txt': 'top',
      }),
      'beside.txt': 'secret',
    })
    const result = await scan()
    expect(result.data).toEqual({ 'a:a': { code: 'run()', up: 'top' } })
    expect(result.faults).toEqual([
      'x.zip!/a/i.json:1: file://../../beside.txt is outside the folder. Only files in the folder can be included',
      'x.zip!/a/i.json:1: file://none does not exist',
    ])
  })

  it.each([
    ['is none', Buffer.from('no archive'), /^x\.zip: is not a readable archive: /],
    ['is empty', Buffer.alloc(0), /^x\.zip: is not a readable archive: /],
    [
      'says that it has more files than it has',
      (() => {
        const bytes = forged([{ name: 'a.json', content: entry('a:a') }])
        bytes.writeUInt16LE(9, bytes.length - 22 + 10)
        return bytes
      })(),
      /^x\.zip: is not a readable archive: /,
    ],
    [
      'has a directory beyond its end',
      (() => {
        const bytes = forged([{ name: 'a.json', content: entry('a:a') }])
        bytes.writeUInt32LE(0x7fffffff, bytes.length - 22 + 16)
        return bytes
      })(),
      /^x\.zip: is not a readable archive: /,
    ],
  ])('that %s has a failure at its own location', async (_title, bytes, message) => {
    const { scan } = await follow({ 'x.zip': bytes, 'y.json': entry('y:y') })
    const result = await scan()
    expect(result.faults).toEqual([expect.stringMatching(message)])
    expect(result.locations).toEqual(['x.zip', 'y.json'])
    expect(result.ids).toEqual(['y:y'])
  })

  it('never throws if truncated anywhere', async () => {
    const whole = await zip({ 'a.json': entry('a:a', 'x'.repeat(300)), 'b.yaml': 'id: b:b\nkind: k' })
    const { scan, folder } = await follow({ 'x.zip': whole })
    for (let size = whole.length - 1; size >= 0; size -= 7) {
      await truncate(join(folder, 'x.zip'), size)
      expect((await scan()).failures).not.toEqual([])
    }
  })
})

describe('names in an archive', () => {
  it.each([
    '../a.json',
    'a/../../b.json',
    '/etc/a.json',
    'C:/a.json',
    '..\\a.json',
    'a\\..\\..\\b.json',
    'a\u0000.json',
    'a\n.json',
  ])('are refused if they point outside or are invalid, and the other files are read: %j', async (name) => {
    const { scan } = await follow({
      'x.zip': forged([
        { name, content: entry('e:e') },
        { name: 'ok.json', content: entry('o:k') },
      ]),
    })
    const result = await scan()
    expect(result.ids).toEqual(['o:k'])
    expect(result.faults).toEqual([
      expect.stringMatching(/^x\.zip!\/[\s\S]*: has a name (that points outside the archive|with control characters)$/),
    ])
  })

  it('are refused if they occur twice, even in another spelling', async () => {
    const { scan } = await follow({
      'x.zip': forged([
        { name: 'a.json', content: entry('a:1') },
        { name: './a.json', content: entry('a:2') },
        { name: 'b.json', content: entry('b:b') },
      ]),
    })
    const result = await scan()
    expect(result.ids).toEqual(['b:b'])
    expect(result.faults).toEqual(['x.zip!/a.json: occurs twice in the archive'])
  })

  it('of links are refused', async () => {
    const { scan } = await follow({ 'x.zip': forged([{ name: 'a.json', content: '/etc/passwd', mode: 0o120777 }]) })
    expect((await scan()).faults).toEqual(['x.zip!/a.json: is a link. Links in archives are not followed'])
  })
})

describe('false headers', () => {
  const big = JSON.stringify({ id: 'a:a', kind: 'k', data: 'x'.repeat(50_000) })
  it.each([
    ['a smaller size', { size: 10 }, /cannot be unpacked: too many bytes/],
    ['a larger size', { size: 60_000 }, /cannot be unpacked: not enough bytes/],
    ['another checksum', { crc: 1 }, /is damaged: its checksum does not match/],
    ['an offset of something else', { offset: 3 }, /cannot be unpacked: /],
    ['a shorter body', { packed: 20 }, /cannot be unpacked: /],
  ])('are detected: %s', async (_title, lies, message) => {
    const { scan } = await follow({
      'x.zip': forged([
        { name: 'a.json', content: big, lies },
        { name: 'b.json', content: entry('b:b', 'y'.repeat(200)) },
      ]),
    })
    const result = await scan()
    expect(result.ids).toEqual(['b:b'])
    expect(result.faults).toEqual([expect.stringMatching(message)])
  })

  it('report encrypted files and unknown methods', async () => {
    const { scan } = await follow({
      'x.zip': forged([
        { name: 'a.json', content: big, flags: 0x801 },
        { name: 'b.json', content: big, method: 99 },
      ]),
    })
    expect((await scan()).faults).toEqual([
      'x.zip!/a.json: is encrypted',
      'x.zip!/b.json: has the unknown compression method 99',
    ])
  })
})

describe('ZIP bombs', () => {
  const zeros = Buffer.alloc(8 * 1024 * 1024, '0')

  it('are not unpacked if they declare their size', async () => {
    const { scan } = await follow({
      'x.zip': forged([
        { name: 'a.json', content: zeros },
        { name: 'b.json', content: entry('b:b') },
      ]),
    })
    const result = await scan()
    expect(result.faults).toEqual(['x.zip!/a.json: unpacks to more than 200 times its size'])
    expect(result.ids).toEqual(['b:b'])
  })

  it('are stopped if they exceed the declared size', async () => {
    const { scan } = await follow({ 'x.zip': forged([{ name: 'a.json', content: zeros, lies: { size: 100 } }]) })
    expect((await scan()).faults).toEqual([expect.stringMatching(/cannot be unpacked: too many bytes/)])
  })

  it('with one body under many names are refused as a whole', async () => {
    const body = { name: 'a.json', content: Buffer.alloc(500_000, '7'), lies: { offset: 0 } }
    const archive = forged([
      { ...body, name: 'a.json' },
      ...Array.from({ length: 400 }, (_, i) => ({
        name: `${i}.json`,
        content: '',
        lies: { offset: 0, packed: 500, size: 500_000, crc: crc32(body.content) },
      })),
    ])
    const { scan } = await follow({ 'x.zip': archive })
    expect((await scan()).faults).toEqual(['x.zip: has files that overlap'])
  })

  it('with too many files, too large in total or too large themselves are refused as a whole', async () => {
    const archive = await zip(
      Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`${i}.json`, entry(`a:${i}`, 'x'.repeat(500))])),
    )
    const faults = async (limits: object) => (await (await follow({ 'x.zip': archive }, { limits })).scan()).faults
    expect(await faults({ archiveFiles: 19 })).toEqual(['x.zip: has 20 files, more than the maximum of 19'])
    expect(await faults({ unpackedBytes: 5_000 })).toEqual([
      expect.stringMatching(/^x\.zip: unpacks to \d+ bytes, more than the maximum of 5000/),
    ])
    expect(await faults({ archiveBytes: 1_000 })).toEqual([
      expect.stringMatching(/^x\.zip: has \d+ bytes, more than the maximum of 1000 for an archive/),
    ])
    expect(await faults({})).toEqual([])
  })
})
