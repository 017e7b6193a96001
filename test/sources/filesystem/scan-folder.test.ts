import { execFileSync } from 'node:child_process'
import { appendFile, chmod, cp, link, rename, rm, stat, symlink, unlink, utimes, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { compareText } from '../../../src/core/entry/text.js'
import { entry, Following, follow, temporaryFolder, write, zip } from './folder-fixture.js'

/** Longer than the time in which the state of a file proves nothing. */
async function age(folder: string, ...names: string[]): Promise<void> {
  for (const name of names) await utimes(join(folder, name), new Date('2024-01-01'), new Date('2024-01-01'))
}

describe('a folder', () => {
  it('yields its files by extension, recursively, in the code-point order of their paths', async () => {
    const names = [
      'a/x.yaml',
      'a-b.json',
      'a.yml',
      'b.jsonl',
      'B.json',
      'é.json',
      '\ufffd.json',
      '😀.json',
      'a/b/c/d.json',
    ]
    const files = Object.fromEntries(names.map((name, i) => [name, entry(`n:${i}`)]))
    const { scan } = await follow({
      ...files,
      'readme.md': 'x',
      '.hidden/x.json': entry('h:h'),
      'node_modules/x.json': entry('m:m'),
      'empty/.keep': '',
    })
    const result = await scan()
    expect(result.locations).toEqual([...names].sort(compareText))
    expect(result.ids).toHaveLength(names.length)
  })

  it('reports the line of every entry and the time of its file', async () => {
    const { scan, folder } = await follow({
      'a.yaml': 'id: a:b\nkind: k\n---\n- {id: a:c, kind: k}\n- {id: a:d, kind: k}\n',
    })
    await age(folder, 'a.yaml')
    const [scanned] = (await scan()).all
    expect(scanned).toMatchObject({
      unchanged: false,
      modifiedAt: new Date('2024-01-01'),
      failures: [],
      entries: [
        { id: 'a:b', line: 1 },
        { id: 'a:c', line: 4 },
        { id: 'a:d', line: 5 },
      ],
    })
  })

  it('fails as a whole if it is missing or a file', async () => {
    const folder = await temporaryFolder({ 'a.json': entry('a:b') })
    await expect(new Following({ path: join(folder, 'none'), form: 'entry' }).scan()).rejects.toThrow(
      /none cannot be read/,
    )
    await expect(new Following({ path: join(folder, 'a.json'), form: 'entry' }).scan()).rejects.toThrow(
      /is not a folder/,
    )
  })

  it('yields the good files next to bad ones', async () => {
    const { scan } = await follow({
      'a.json': '{"id": ',
      'b.yaml': 'id: b:b\nkind: k\nid: b:c\n',
      'c.json': Buffer.from('{"id": "\xff"}', 'latin1'),
      'd.json': entry('d:d'),
      'e.jsonl': `${entry('e:1')}\n{\n${entry('e:2')}\n`,
      'f.yaml': '[{id: f:1, kind: k}, {id: f:1, kind: k}]',
      'g.json': '[{"id":"g:g","kind":"k","other":1}]',
    })
    const result = await scan()
    expect(result.ids).toEqual(['d:d', 'e:1', 'e:2', 'f:1'])
    expect(result.faults).toEqual([
      'a.json:1: expected a value',
      'b.yaml:3: duplicate key "id"',
      'c.json:1: is not UTF-8 text',
      'e.jsonl:2: expected text in double quotes; it is missing, not closed, or has an invalid escape',
      'f.yaml:1: is already defined in line 1, which counts',
      'g.json:1: "other" is not a field of an entry. Valid fields: id, kind, meta, data',
    ])
  })

  it('stops reading when the scan is aborted', async () => {
    const { reader } = await follow(
      Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`${i}.json`, entry(`a:${i}`)])),
    )
    const stop = new AbortController()
    const seen: string[] = []
    await expect(
      (async () => {
        for await (const { location } of reader.scan(() => undefined, stop.signal)) {
          seen.push(location)
          stop.abort(new Error('enough'))
        }
      })(),
    ).rejects.toThrow('enough')
    expect(seen).toHaveLength(1)
  })
})

describe('an unchanged file', () => {
  it('is not read again, by this reader or another', async () => {
    const { scan, folder, stamps } = await follow({ 'a.json': entry('a:a'), 'b/c.json': entry('b:c') })
    await age(folder, 'a.json', 'b/c.json')
    expect((await scan()).read).toEqual(['a.json', 'b/c.json'])
    const again = await scan()
    expect(again.read).toEqual([])
    expect(again.locations).toEqual(['a.json', 'b/c.json'])
    const other = new Following({ path: folder, form: 'entry' })
    for (const [location, stamp] of stamps) other.stamps.set(location, stamp)
    expect((await other.scan()).read).toEqual([])
  })

  it('is not parsed again if only its times or its inode changed', async () => {
    const { scan, folder } = await follow({ 'a.json': entry('a:a'), 'b.json': entry('b:b') })
    await scan()
    await age(folder, 'a.json')
    await cp(join(folder, 'b.json'), join(folder, 'b.copy'))
    await rename(join(folder, 'b.copy'), join(folder, 'b.json'))
    expect((await scan()).read).toEqual([])
  })

  it("is distinguished from one written twice within the clock's resolution", async () => {
    const { scan, folder } = await follow({ 'a.json': entry('a:1') })
    for (let i = 2; i < 10; i++) {
      await scan()
      await writeFile(join(folder, 'a.json'), entry(`a:${i}`))
      expect((await scan()).ids).toEqual([`a:${i}`])
    }
  })

  it('is distinguished from one that changed with equal size and mtime', async () => {
    const { scan, folder } = await follow({ 'a.json': entry('a:1') })
    await age(folder, 'a.json')
    await scan()
    await writeFile(join(folder, 'a.json'), entry('a:2'))
    await age(folder, 'a.json')
    expect((await scan()).ids).toEqual(['a:2'])
  })

  it('is read again after a failure, with another form, and with another schema', async () => {
    const schema = join(await temporaryFolder({ 'k.json': '{}' }), 'k.json')
    const { scan, folder } = await follow({ 'a.json': entry('a:a'), 'b.json': '{' }, { schemas: { k: schema } })
    await scan()
    expect((await scan()).read).toEqual(['b.json'])
    await writeFile(schema, '{"properties": {"data": {"type": "string"}}}')
    const result = await scan()
    expect(result.faults[0]).toBe('a.json:1: /data must be string')
    await writeFile(schema, '{')
    await expect(scan()).rejects.toThrow(/k\.json:1:2/)
    await writeFile(schema, 'true')
    expect((await scan()).ids).toEqual(['a:a'])
    await rm(join(folder, 'b.json'))
    expect((await scan()).locations).toEqual(['a.json'])
  })

  it('is read again if its stamp has a foreign format', async () => {
    const { scan, stamps } = await follow({ 'a.json': entry('a:a') })
    for (const stamp of ['', 'null', '[1,2,3]', '["a","b","c",[1]]', '{}', '["","",""]']) {
      stamps.set('a.json', stamp)
      expect((await scan()).ids).toEqual(['a:a'])
    }
  })
})

describe('schemas', () => {
  it('reject an entry with file, line and JSON pointer, and accept the others of the file', async () => {
    const schema = join(
      await temporaryFolder({
        's.json': '{"properties":{"data":{"required":["port"],"properties":{"port":{"type":"integer"}}}}}',
      }),
      's.json',
    )
    const { scan } = await follow(
      {
        'a.yaml':
          '- {id: a:1, kind: service.x, data: {port: 1}}\n- id: a:2\n  kind: service.x\n  data: {port: one}\n- {id: a:3, kind: other, data: {}}',
      },
      { schemas: { 'service.*': schema } },
    )
    const result = await scan()
    expect(result.ids).toEqual(['a:1', 'a:3'])
    expect(result.failures).toEqual([
      { file: 'a.yaml', line: 2, column: 3, entryId: 'a:2', message: '/data/port must be integer', definition: 2 },
    ])
  })
})

describe('links', () => {
  it('within the folder are followed, to files and to folders, each folder once', async () => {
    const { scan, folder } = await follow({
      'real/a.json': entry('a:a'),
      '.releases/1/b.json': entry('b:b'),
      'z.json': entry('z:z'),
    })
    await symlink('.releases/1', join(folder, 'current'))
    await symlink('z.json', join(folder, 'y.json'))
    await symlink('..', join(folder, 'real/up'))
    await symlink('.', join(folder, 'self'))
    await symlink('real', join(folder, 'again'))
    const result = await scan()
    expect(result.locations).toEqual(['again/a.json', 'current/b.json', 'y.json', 'z.json'])
    expect(result.faults).toEqual([])
  })

  it('are followed to their current target', async () => {
    const { scan, folder } = await follow({ '.releases/1/b.json': entry('b:1'), '.releases/2/b.json': entry('b:2') })
    await symlink('.releases/1', join(folder, 'current'))
    expect((await scan()).ids).toEqual(['b:1'])
    await symlink('.releases/2', join(folder, 'next'))
    await rename(join(folder, 'next'), join(folder, 'current'))
    expect((await scan()).ids).toEqual(['b:2'])
  })

  // A second name in the folder read a file outside of it.
  it('that are hard are refused, unless the source reads them', async () => {
    const outside = await temporaryFolder({
      'secret.json': entry('s:s'),
      'text.txt': 'secret',
      'a.zip': await zip({ 'z.json': entry('z:z') }),
    })
    const files = { 'ok.json': entry('o:k'), 'i.json': '{"id": "i:i", "kind": "k", "data": "file://text.txt"}' }
    for (const hardLinks of [false, true]) {
      const { scan, folder } = await follow(files, { hardLinks })
      for (const name of ['secret.json', 'text.txt', 'a.zip']) await link(join(outside, name), join(folder, name))
      const result = await scan()
      const names =
        'has several names (hard links), and one may be outside the folder. Copy the file, or set hardLinks: true for the source'
      expect(result.ids.sort()).toEqual(hardLinks ? ['i:i', 'o:k', 's:s', 'z:z'] : ['o:k'])
      expect(result.faults.sort()).toEqual(
        hardLinks ? [] : [`a.zip: ${names}`, `i.json:1: file://text.txt ${names}`, `secret.json: ${names}`],
      )
    }
  })

  it('that point outside, to nothing or to themselves are refused by name', async () => {
    const outside = await temporaryFolder({ 'secret.json': entry('s:s') })
    const { scan, folder } = await follow({ 'ok.json': entry('o:k') })
    await symlink(join(outside, 'secret.json'), join(folder, 'a.json'))
    await symlink(outside, join(folder, 'b'))
    await symlink('nothing', join(folder, 'c.yaml'))
    await symlink('d.json', join(folder, 'd.json'))
    await symlink('/dev/zero', join(folder, 'e.json'))
    await symlink('nothing', join(folder, 'f'))
    const result = await scan()
    expect(result.ids).toEqual(['o:k'])
    expect(result.faults).toEqual([
      'a.json: is a link that points outside the folder',
      'b: is a link that points outside the folder',
      'c.yaml: is a link to a file that does not exist',
      'd.json: is a link that points to itself',
      'e.json: is a link that points outside the folder',
    ])
  })

  it('may be the folder itself', async () => {
    const { folder } = await follow({ 'a/x.json': entry('a:1') })
    await symlink('a', join(folder, 'link'))
    const { scan } = new Following({ path: join(folder, 'link'), form: 'entry' })
    expect((await scan()).ids).toEqual(['a:1'])
  })
})

describe('a special file', () => {
  it('is refused by name, and never blocks the scan', async () => {
    const { scan, folder } = await follow({
      'ok.json': entry('o:k'),
      'folder.json/x.json': entry('x:x'),
      'in.json': '{"id":"i:n","kind":"k","data":"file://p"}',
    })
    execFileSync('mkfifo', [join(folder, 'fifo.yaml'), join(folder, 'p'), join(folder, 'fifo.zip')])
    const server = createServer().listen(join(folder, 'socket.json'))
    onTestFinished(() => void server.close())
    await new Promise((resolve) => server.on('listening', resolve))
    const result = await scan()
    expect(result.ids).toEqual(['x:x', 'o:k'])
    expect(result.faults).toEqual([
      'fifo.yaml: is a pipe, which cannot be read',
      'fifo.zip: is a pipe, which cannot be read',
      'in.json:1: file://p is a pipe, which cannot be read',
      'socket.json: is a socket, which cannot be read',
    ])
  })

  it('is refused without being read if it exceeds a limit', async () => {
    const { scan } = await follow(
      { 'a.json': entry('a:a', 'x'.repeat(2_000)), 'b.json': entry('b:b'), 'c.json': entry('c:c', 'x'.repeat(700)) },
      { limits: { fileBytes: 1_000, entryBytes: 500 } },
    )
    const result = await scan()
    expect(result.ids).toEqual(['b:b'])
    expect(result.faults[0]).toMatch(/^a\.json: has 20\d\d bytes, more than the maximum of 1000/)
    expect(result.faults[1]).toMatch(/^c\.json:1: meta and data take/)
  })

  it('has a lower limit in YAML than in JSON, in archives too', async () => {
    const text = entry('a:a', 'x'.repeat(700))
    const { scan } = await follow(
      { 'a.yaml': text, 'b.json': text.replace('a:a', 'b:b'), 'x.zip': await zip({ 'a.yml': text }) },
      { limits: { yamlBytes: 500 } },
    )
    const result = await scan()
    expect(result.ids).toEqual(['b:b'])
    expect(result.faults).toEqual([
      expect.stringMatching(/^a\.yaml: has 7\d\d bytes, more than the maximum of 500/),
      expect.stringMatching(/^x\.zip!\/a\.yml: has 7\d\d bytes, more than the maximum of 500/),
    ])
  })

  it.skipIf(process.geteuid?.() !== 0)('is a failure of its own if it is unreadable, and so is a folder', async () => {
    const { scan, folder } = await follow({ 'a.json': entry('a:a'), 'b/c.json': entry('b:c'), 'd.json': entry('d:d') })
    await chmod(folder, 0o755)
    await chmod(join(folder, 'a.json'), 0)
    await chmod(join(folder, 'b'), 0)
    process.seteuid!(65_534)
    try {
      const result = await scan()
      expect(result.ids).toEqual(['d:d'])
      expect(result.faults).toEqual([
        'a.json: cannot be read: EACCES: permission denied',
        'b: cannot be read: EACCES: permission denied',
      ])
    } finally {
      process.seteuid!(0)
    }
    expect((await scan()).ids).toEqual(['a:a', 'b:c'])
  })

  it('is refused if its name is not text', async () => {
    const { scan, folder } = await follow({ 'a.json': entry('a:a') })
    await writeFile(Buffer.concat([Buffer.from(`${folder}/b\xff.json`, 'latin1')]), entry('b:b'))
    const result = await scan()
    expect(result.ids).toEqual(['a:a'])
    expect(result.faults).toEqual(['b\ufffd.json: has a name that is not UTF-8 text'])
  })
})

describe('files that vanish and change while they are read', () => {
  it('never stop the others, and end with their last content', async () => {
    const { scan, folder } = await follow(
      Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`${i}.json`, entry(`a:${i}`)])),
    )
    let busy = true
    const disturb = (async () => {
      for (let i = 0; busy; i++) {
        const path = join(folder, `${i % 100}.json`)
        if (i % 3 === 0) await unlink(path).catch(() => {})
        else if (i % 3 === 1) await writeFile(path, entry(`a:${i % 100}`, i))
        else await appendFile(path, ' '.repeat(i % 7))
      }
    })()
    for (let i = 0; i < 10; i++) await scan()
    busy = false
    await disturb
    await write(
      folder,
      Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`${i}.json`, entry(`a:${i}`, 'last')])),
    )
    const fresh = await new Following({ path: folder, form: 'entry' }).scan()
    expect(Object.values(fresh.data)).toEqual(Array(100).fill('last'))
    await scan()
    expect((await scan()).read).toEqual([])
  })
})

it('the state of a file comes from the file system', async () => {
  const { folder, scan } = await follow({ 'a.json': entry('a:a') })
  const [scanned] = (await scan()).all
  expect(scanned?.unchanged === false && scanned.modifiedAt?.getTime()).toBe(
    Math.floor((await stat(join(folder, 'a.json'))).mtimeMs),
  )
})
