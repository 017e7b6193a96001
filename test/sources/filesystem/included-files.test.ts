import { rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { entry, Following, follow, temporaryFolder } from './folder-fixture.js'

describe('a value file://…', () => {
  it('becomes the unchanged text of the file, in meta and data, at any depth', async () => {
    const { scan } = await follow(
      {
        'a/i.yaml':
          'namespace: a\nentries:\n  - name: b\n    kind: k\n    meta: {readme: file://readme.md}\n    source: file://src/x.lua\n    more: [{deep: file://../top.txt}]\n    not: "see file://x"\n',
        'a/readme.md': '\ufeff# über\r\n',
        'a/src/x.lua': 'return 1\n',
        'top.txt': '',
      },
      { form: 'wippy' },
    )
    const result = await scan()
    expect(result.faults).toEqual([])
    expect(result.data).toEqual({ 'a:b': { source: 'return 1\n', more: [{ deep: '' }], not: 'see file://x' } })
    expect(result.all[0]).toMatchObject({ entries: [{ content: { meta: { readme: '# über\r\n' } } }] })
  })

  it('is never read from outside the folder', async () => {
    const outside = await temporaryFolder({ 'secret.txt': 's3cret' })
    const { scan, folder } = await follow({ 'ok.txt': 'fine' })
    await symlink(join(outside, 'secret.txt'), join(folder, 'link.txt'))
    await symlink(outside, join(folder, 'linked'))
    const references = [
      '../secret.txt',
      'x/../../secret.txt',
      `/${outside}/secret.txt`,
      '/etc/passwd',
      'link.txt',
      'linked/secret.txt',
      '..',
      '',
      '.',
      'a\0b',
    ]
    await writeFile(join(folder, 'a.jsonl'), references.map((path, i) => entry(`a:${i}`, `file://${path}`)).join('\n'))
    const result = await scan()
    expect(result.ids).toEqual([])
    const reported = result.faults.filter((fault) => fault.startsWith('a.jsonl'))
    expect(reported).toHaveLength(references.length)
    expect(JSON.stringify(result.all)).not.toContain('s3cret')
  })

  it('fails only its entry if the file is missing, not text, or too large', async () => {
    const { scan } = await follow(
      {
        'a.jsonl': [
          entry('a:1', 'file://none'),
          entry('a:2', 'file://latin'),
          entry('a:3', 'file://big'),
          entry('a:4', 'fine'),
        ].join('\n'),
        latin: Buffer.from('ok\n\xff', 'latin1'),
        big: 'x'.repeat(3_000),
      },
      { limits: { fileBytes: 2_000 } },
    )
    const result = await scan()
    expect(result.ids).toEqual(['a:4'])
    expect(result.faults).toEqual([
      'a.jsonl:1: file://none does not exist',
      'a.jsonl:2: file://latin is not UTF-8 text (line 2)',
      expect.stringMatching(/^a\.jsonl:3: file:\/\/big has 3000 bytes, more than the maximum of 2000/),
    ])
  })

  it('is read again only when the file changes', async () => {
    const { scan, folder, stamps } = await follow({
      'a/i.json': entry('a:b', 'file://../.lib/x.lua'),
      '.lib/x.lua': '1',
    })
    await scan()
    expect((await scan()).read).toEqual([])
    for (const text of ['2', '3']) {
      await writeFile(join(folder, '.lib/x.lua'), text)
      expect((await scan()).data).toEqual({ 'a:b': text })
      expect((await scan()).read).toEqual([])
    }
    await utimes(join(folder, '.lib/x.lua'), new Date('2024-01-01'), new Date('2024-01-01'))
    await utimes(join(folder, 'a/i.json'), new Date('2024-01-01'), new Date('2024-01-01'))
    expect((await scan()).read).toEqual([])
    const other = new Following({ path: folder, form: 'entry' })
    for (const stamp of stamps) other.stamps.set(...stamp)
    expect((await other.scan()).read).toEqual([])
    await rename(join(folder, '.lib/x.lua'), join(folder, '.lib/y.lua'))
    expect((await scan()).faults).toEqual(['a/i.json:1: file://../.lib/x.lua does not exist'])
    await rename(join(folder, '.lib/y.lua'), join(folder, '.lib/x.lua'))
    expect((await scan()).data).toEqual({ 'a:b': '3' })
    await rm(join(folder, '.lib/x.lua'))
    await symlink('/etc/hostname', join(folder, '.lib/x.lua'))
    expect((await scan()).faults).toEqual(['a/i.json:1: file://../.lib/x.lua is a link that points outside the folder'])
  })
})
