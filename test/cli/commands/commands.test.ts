import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Gateway } from '../../../src/server/gateway.js'
import type { CliRun } from '../cli-fixture.js'
import { cli, openForwarder, openGateway } from '../cli-fixture.js'

const REGISTRY = fileURLToPath(new URL('../../fixtures/registry', import.meta.url))
const BROKEN = fileURLToPath(new URL('../../fixtures/broken', import.meta.url))

let gateway: Gateway
let folder: string

beforeEach(async () => {
  gateway = await openGateway()
  folder = await mkdtemp(join(tmpdir(), 'cadastre-cli-'))
})

afterEach(async () => {
  await gateway.close()
  await rm(folder, { recursive: true })
})

const run = (...argv: string[]): Promise<CliRun> => cli(gateway, ...argv)

/** The JSON output of a command that must succeed. */
async function json<Value = any>(...argv: string[]): Promise<Value> {
  const { code, out, err } = await run(...argv, '--json')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return JSON.parse(out) as Value
}

async function write(name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(path, text)
  return path
}

const entries = (...list: { id: string; kind?: string; meta?: unknown; data?: unknown }[]) =>
  JSON.stringify(list.map((entry) => ({ kind: 'thing', ...entry })))

describe('apply', () => {
  it('applies the state of a folder as one version, and does nothing the second time', async () => {
    const first = await run('apply', REGISTRY, '--message', 'All of it', '--author', 'Änn')
    expect(first).toMatchObject({ code: 0, err: '' })
    expect(first.out).toMatch(/\nVersion 1 \(revision 1\): 9 created, 0 updated, 0 deleted, 0 unchanged\.\n$/)
    expect(await json('log')).toMatchObject([
      { number: 1, author: 'Änn', message: 'All of it', created: 9, isHead: true },
      { number: 0 },
    ])
    expect(await run('apply', REGISTRY)).toEqual({
      code: 0,
      out: 'Nothing to change: 9 entries are unchanged (revision 1).\n',
      err: '',
    })
    expect(await json('log')).toHaveLength(2)
  })

  it('warns about dangling references, also in a dry run', async () => {
    await write('a.json', entries({ id: 'a:db' }, { id: 'a:app', meta: { depends_on: ['db'] } }))
    await json('apply', folder)
    await write('a.json', entries({ id: 'a:app', meta: { depends_on: ['db'] } }))
    const warning = 'warning a:db is deleted, and 1 entry still refers to it: a:app\n'
    expect(await run('apply', folder, '--prune', '--dry-run')).toMatchObject({ code: 0, err: warning })
    expect((await json('apply', folder, '--prune')).applied.warnings).toMatchObject([{ code: 'DANGLING_DEPENDENTS' }])
    expect(await run('rollback', '0', '--dry-run')).toMatchObject({ code: 0, err: '' })
  })

  it('sends only entries that differ by value, and replaces an entry of another kind', async () => {
    await write(
      'a.json',
      entries({ id: 'a:same', data: { x: 1, y: [1] } }, { id: 'a:new', data: 1 }, { id: 'a:kind', data: 1 }),
    )
    await json('apply', folder)
    await write(
      'a.json',
      entries(
        { id: 'a:same', data: { y: [1.0], x: 1 } },
        { id: 'a:new', data: 2 },
        { id: 'a:kind', kind: 'other', data: 1 },
      ),
    )
    const { applied, unchanged } = await json('apply', folder)
    expect({ applied, unchanged }).toMatchObject({
      applied: { version: 2, created: 1, updated: 1, deleted: 1 },
      unchanged: 1,
    })
    expect(await json('get', 'a:kind')).toMatchObject({ kind: 'other' })
  })

  it('changes nothing in a dry run', async () => {
    const { code, out } = await run('apply', REGISTRY, '--dry-run')
    expect(code).toBe(0)
    expect(out).toContain('Dry run, nothing was changed: 9 to create')
    expect(await json('find')).toEqual([])
  })

  it('deletes with --prune the other entries of the namespaces in the files, and no others', async () => {
    await write('all.json', entries({ id: 'a:1' }, { id: 'a:2' }, { id: 'b:1' }, { id: 'c:1' }))
    await json('apply', folder)
    await write('all.json', entries({ id: 'a:1' }))
    await write('b.yaml', 'namespace: b\nentries: []\n')
    expect((await json('apply', folder)).applied).toBeNull()
    expect((await run('plan', folder, '--prune')).out).toBe(
      [
        '- delete a:2  thing\n',
        '- delete b:1  thing\n',
        'Plan: 0 to create, 0 to update, 2 to delete, 1 unchanged (against revision 1).\n',
      ].join('\n'),
    )
    expect((await json('apply', folder, '--prune')).applied).toMatchObject({ deleted: 2 })
    expect((await json<{ id: string }[]>('find')).map(({ id }) => id)).toEqual(['a:1', 'c:1'])
  })

  // A generator that failed left an empty list, and --prune deleted the whole namespace.
  it('deletes with --prune nothing for files that define no entry, unless that is allowed', async () => {
    await write('all.json', entries({ id: 'a:1' }))
    await json('apply', folder)
    await rm(join(folder, 'all.json'))
    await write('a.yaml', 'namespace: a\nentries: []\n')
    expect((await run('apply', folder, '--prune')).err).toContain('Add --allow-empty')
    expect(await json('find')).toHaveLength(1)
    expect((await run('apply', folder, '--prune', '--allow-empty')).out).toContain('1 deleted')
    expect(await json('find')).toEqual([])
  })

  it('deletes with --prune no entry that an unreadable file may define', async () => {
    await write('all.json', entries({ id: 'a:1' }, { id: 'a:2' }))
    await json('apply', folder)
    await write('all.json', entries({ id: 'a:1', data: 'new' }))
    await write('torn.yaml', 'namespace: a\nentries: [')
    const torn = await run('apply', folder, '--prune', '--keep-going')
    expect(torn.code).toBe(1)
    expect(torn.err).toContain('Nothing is pruned')
    expect(torn.out).toContain('0 created, 1 updated, 0 deleted')

    await rm(join(folder, 'torn.yaml'))
    await write('all.json', entries({ id: 'a:1', data: 'new' }, { id: 'a:2', kind: 'not a kind' }))
    expect((await run('apply', folder, '--prune', '--keep-going')).out).toContain('Nothing to change')
    expect(await json('find')).toHaveLength(2)
  })

  // Half of a change was applied: the readable definitions without the two that they needed.
  it('applies nothing if a definition cannot be used, unless --keep-going is given', async () => {
    for (const more of [[], ['--dry-run'], ['--prune']]) {
      const { code, out, err } = await run('apply', BROKEN, ...more)
      expect({ code, out }).toEqual({ code: 1, out: '' })
      expect(err.trim().split('\n')).toHaveLength(6)
      expect(err).toContain(`error ${join(BROKEN, 'b.yaml')}:6:1: `)
      expect(err).toContain('Nothing was changed: 5 definitions cannot be used. Correct them, or add --keep-going')
    }
    const refused = await run('apply', BROKEN, '--json')
    expect(refused).toMatchObject({ code: 1, out: '' })
    expect(JSON.parse(refused.err)).toMatchObject({ error: { code: 'INVALID_FILES', failures: { length: 5 } } })
    const one = await write('one.json', entries({ id: 'a:1' }, { id: 'a:2', kind: 'no kind' }))
    expect((await run('apply', one)).err).toContain('a definition cannot be used. Correct it, or add --keep-going')
    expect(await json('log')).toHaveLength(1)

    const { code, out, err } = await run('apply', BROKEN, '--keep-going')
    expect(code).toBe(1)
    expect(out).toContain('2 created')
    expect(err.trim().split('\n')).toHaveLength(5)
    const again = await run('apply', BROKEN, '--keep-going', '--json')
    expect(again).toMatchObject({ code: 1, err: '' })
    expect(JSON.parse(again.out)).toMatchObject({ applied: null, unchanged: 2, failures: { length: 5 } })
  })

  it('shows in a plan that apply would refuse faulty definitions', async () => {
    const { code, out, err } = await run('plan', BROKEN)
    expect(code).toBe(1)
    expect(out).toContain('2 to create')
    expect(err).toContain('apply would change nothing: 5 definitions cannot be used')
    expect((await run('plan', BROKEN, '--keep-going')).err).not.toContain('apply would')
  })

  it.runIf(process.platform === 'linux')('refuses a device, which has no end', async () => {
    await symlink('/dev/zero', join(folder, 'zero.json'))
    expect(await run('apply', join(folder, 'zero.json'))).toMatchObject({
      code: 1,
      err: expect.stringContaining('is not a regular file'),
    })
  })

  it('reports a conflict with file and line if an entry changes meanwhile, and overwrites nothing', async () => {
    await write('a.json', '[\n{"id":"a:1","kind":"thing"},\n{"id":"a:2","kind":"thing"}]')
    await json('apply', folder)
    const other = await mkdtemp(join(tmpdir(), 'cadastre-cli-'))
    await writeFile(join(other, 'a.json'), entries({ id: 'a:2', data: 'theirs' }))
    const path = await write('a.json', '[\n{"id":"a:1","kind":"thing"},\n{"id":"a:2","kind":"thing","data":"ours"}]')
    let raced = false
    const forwarder = await openForwarder(gateway, {
      before: async (body) => {
        if (raced || !body.includes('ours')) return
        raced = true
        await json('apply', other)
      },
    })
    const { code, err } = await cli(forwarder, 'apply', folder)
    forwarder.close()
    expect(code).toBe(1)
    expect(err).toContain(`  ${path}:3: a:2: CONFLICT: `)
    expect(await json('get', 'a:2')).toMatchObject({ data: 'theirs' })
    await rm(other, { recursive: true })
  })

  it('is applied once if it is sent again after a lost answer', async () => {
    await write('a.json', entries({ id: 'a:1' }))
    let lost = 0
    const losesAnswer = (body: string) => body.includes('ApplyChangeset') && lost++ === 0
    const forwarder = await openForwarder(gateway, { losesAnswer })
    const { code, out } = await cli(forwarder, 'apply', folder, '--json')
    forwarder.close()
    expect(code).toBe(0)
    expect(JSON.parse(out).applied).toMatchObject({ version: 1, replayed: true })
    expect(lost).toBe(2)
    expect(await json('log')).toHaveLength(2)
  })

  it('reports the origin of an entry that the gateway refuses', async () => {
    const path = await write(
      'big.json',
      `[\n${JSON.stringify({ id: 'a:big', kind: 'thing', data: 'x'.repeat(2 << 20) })}]`,
    )
    const { code, err } = await run('apply', path)
    expect(code).toBe(1)
    expect(err).toContain(`  ${path}:2: a:big: TOO_LARGE: `)
    const machine = await run('apply', path, '--json')
    expect(JSON.parse(machine.err)).toMatchObject({
      error: { code: 'REFUSED', problems: [{ code: 'TOO_LARGE', entryId: 'a:big', origin: `${path}:2` }] },
    })
  })

  it('compares more entries than fit in one query', async () => {
    await write(
      'many.jsonl',
      Array.from({ length: 1234 }, (_, i) => JSON.stringify({ id: `many:${i}`, kind: 'thing', data: i })).join('\n'),
    )
    expect((await json('apply', folder)).applied).toMatchObject({ created: 1234 })
    expect(await json('apply', folder)).toMatchObject({ applied: null, unchanged: 1234 })
    expect(await json('apply', folder, '--prune')).toMatchObject({ applied: null, unchanged: 1234 })
    expect(await json('find', '.ns=many')).toHaveLength(1234)
  })
})

describe('plan', () => {
  it('shows the changes of apply, entry by entry, without applying them', async () => {
    await write('a.json', entries({ id: 'a:old' }, { id: 'a:1', meta: { title: 'One' }, data: { pool: { max: 5 } } }))
    await json('apply', folder)
    const path = await write(
      'a.json',
      `[\n${entries({ id: 'a:1', meta: { title: 'One' }, data: { pool: { max: 10 } } }).slice(1, -1)},\n${entries({ id: 'a:2', data: null }).slice(1, -1)}]`,
    )
    const { code, out } = await run('plan', folder, '--prune')
    expect(code).toBe(0)
    expect(out.replaceAll(path, 'a.json')).toMatchInlineSnapshot(`
      "~ update a:1  thing  (a.json:2)
          ~ data.pool.max: 5 → 10

      + create a:2  thing  (a.json:3)

      - delete a:old  thing

      Plan: 1 to create, 1 to update, 1 to delete, 0 unchanged (against revision 1).
      "
    `)
    expect(await json('plan', folder)).toMatchObject({
      revision: 1,
      changes: [{ action: 'update', before: { data: { pool: { max: 5 } } } }, { action: 'create' }],
    })
    expect(await json('log')).toHaveLength(2)
  })

  it('reports a folder that defines nothing', async () => {
    expect(await run('plan', folder)).toMatchObject({ code: 0, err: `${folder} defines no entries\n` })
  })
})

describe('reading and moving the registry', () => {
  beforeEach(async () => {
    await json('apply', REGISTRY)
    await write('more.json', entries({ id: 'people:ann', kind: 'user', meta: { name: 'Ann B.' } }))
    await json('apply', folder, '--prune')
  })

  it('get prints an entry as YAML that apply reads back', async () => {
    const { out } = await run('get', 'shop:db')
    expect(out).toMatch(/^# revision 1, version 1\nid: shop:db\nkind: store\.sql\n/)
    const path = await write('again.yaml', out)
    expect((await json('apply', path)).unchanged).toBe(1)
  })

  it('get reads an older state by version, revision or time', async () => {
    const [, first] = await json<{ createdAt: string }[]>('log')
    expect(await json('get', 'people:ann', '--at', 'v1')).toMatchObject({ meta: { name: 'Ann' }, revision: 1 })
    expect(await json('get', 'people:ann', '--at', 'r2')).toMatchObject({ meta: { name: 'Ann B.' }, version: 2 })
    expect(await json('get', 'people:ann', '--at', first!.createdAt)).toMatchObject({ meta: { name: 'Ann' } })
  })

  it('get exits with 1 if there is no such entry', async () => {
    expect(await run('get', 'people:bob')).toEqual({ code: 1, out: '', err: 'error There is no entry people:bob\n' })
    expect((await run('get', 'people:bob', '--at', 'v7')).err).toContain('There is no version 7')
  })

  it('find lists the matching entries, as a table or as JSON', async () => {
    expect((await run('find', '.kind=http.*', '^meta.comment=The')).out).toBe(
      'ID                KIND          REVISION  VERSION\nshop.web:gateway  http.service  r1        v1\n',
    )
    expect(await json('find', '.ns=people', '--at', 'r1')).toHaveLength(3)
    expect(await json('find', '.ns=people', '--at', 'r1', '--limit', '2')).toHaveLength(2)
    expect(await json('find', 'nothing=here')).toEqual([])
    expect(await run('find', '.colour=red')).toMatchObject({ code: 1, err: expect.stringContaining('.colour') })
  })

  // A page holds 1,000 entries, and each page had headings of its own.
  it('find prints the headings once, however many pages it reads', async () => {
    await write(
      'more.jsonl',
      Array.from({ length: 2001 }, (_, i) => JSON.stringify({ id: `many:${i}`, kind: 'thing' })).join('\n'),
    )
    await json('apply', join(folder, 'more.jsonl'))
    const { out } = await run('find', '.ns=many')
    expect(out.match(/^ID +KIND +REVISION +VERSION$/gm)).toHaveLength(1)
    expect(out.trim().split('\n')).toHaveLength(2002)
    expect((await run('find', '.ns=none')).out).toBe('')
  })

  it('log lists versions and movements of the head, newest first', async () => {
    await json('rollback', 'v1', '--message', 'Back\u001b[2J')
    const { out } = await run('log', '--transitions')
    expect(out.split('\n').map((line) => line.replace(/\d{4}-\S+Z/, 'TIME'))).toEqual([
      'r3 v2 → v1  TIME  version  Back\\u001b[2J',
      'r2 v1 → v2  TIME  changeset',
      'r1 v0 → v1  TIME  changeset',
      '',
    ])
    expect((await run('log', '--limit', '2')).out.replace(/\d{4}-\S+Z/g, 'TIME')).toBe(
      'v2 ← v1  TIME  +0 ~1 -2\nv1 ← v0  TIME  +9 ~0 -0  (head)\n',
    )
  })

  it('diff shows the changes between two points, in both directions', async () => {
    expect((await run('diff', 'v1', 'head')).out).toContain('    ~ meta.name: "Ann" → "Ann B."\n')
    expect(await json('diff', 'r2', 'v1')).toMatchObject({ from: 2, to: 1, created: 2, updated: 1, deleted: 0 })
    expect((await run('diff', 'v2', 'head')).out).toBe('No difference from v2 to head (v2).\n')
    expect(await json('diff', 'r2', 'v1')).toMatchObject({ fromVersion: 2, toVersion: 1 })
  })

  // After a rollback, versions and revisions differ, and `diff v2 v3` spoke of revisions 2 and 4.
  it('diff names the points as the caller wrote them', async () => {
    await json('rollback', 'v1')
    await json('apply', await write('third.json', entries({ id: 'people:cid' })))
    await json('tag', 'stable', 'v1')
    const last = async (from: string, to: string) => (await run('diff', from, to)).out.trim().split('\n').at(-1)
    expect(await last('v2', 'v3')).toBe('3 created, 1 updated, 0 deleted from v2 to v3.')
    expect(await last('r2', 'r4')).toBe('3 created, 1 updated, 0 deleted from r2 to r4.')
    expect(await last('tag:stable', 'head')).toBe('1 created, 0 updated, 0 deleted from tag:stable (v1) to head (v3).')
    expect(await last('v3', '2999-01-01')).toBe('No difference from v3 to 2999-01-01 (v3).')
  })

  it('rollback moves the head and reports the changes', async () => {
    expect((await run('rollback', 'v1', '--dry-run')).out).toBe(
      'Dry run, nothing was changed: applying v1 would change: 2 created, 1 updated, 0 deleted.\n',
    )
    expect(await run('rollback', 'v1', '--expected-head', 'v1')).toMatchObject({
      code: 1,
      err: expect.stringContaining('HEAD_MOVED'),
    })
    expect((await run('rollback', '1', '--expected-head', 'v2')).out).toBe(
      'The head is at version 1 (revision 3): 2 created, 1 updated, 0 deleted.\n',
    )
    expect((await run('rollback', 'v1')).out).toBe('Version 1 is already the head, nothing was changed.\n')
    expect(await run('rollback', 'v9')).toMatchObject({ code: 1, err: expect.stringContaining('VERSION_NOT_FOUND') })
  })

  it('export writes files that apply reads back unchanged, from any point in history', async () => {
    const { out } = await run('export', '--at', 'v1')
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { id: string }).id),
    ).toContain('people:bob')
    for (const form of ['wippy', 'entry']) {
      const target = join(folder, 'exports', form)
      expect(await json('export', target, '--at', 'v1', '--form', form)).toMatchObject({
        revision: 1,
        entries: 9,
        namespaces: 3,
      })
      expect(await readdir(target)).toEqual(['people', 'shop', 'shop.web'])
      expect(await run('export', target)).toMatchObject({ code: 1, err: expect.stringContaining('is not empty') })
      await json('rollback', 'v1')
      expect(await json('plan', target, '--prune')).toMatchObject({ unchanged: 9, changes: [], failures: [] })
    }
  })
})

describe('the exit code', () => {
  it.each([
    [[]],
    [['frobnicate']],
    [['get']],
    [['get', 'a:b', '--at', '3']],
    [['get', 'a:b', '--at', '2026-11-31']],
    [['find', '--at', '2026-02-29']],
    [['export', '--at', '2026-01-31T24:61']],
    [['diff', '2026-04-31', 'head']],
    [['diff', 'head', '2026-01-31T12:00:00+25:00']],
    [['apply', '/nowhere/at/all']],
    [['find', 'kind']],
    [['log', '--limit', '0']],
    [['log', '--timeout', 'soon']],
    [['log', '--url', 'ftp://example.test']],
    [['rollback', 'yesterday']],
    [['export', '--form', 'xml']],
    [['log', '--author', 'a\nb']],
  ])('is 2 for wrong usage: %j', async (argv) => {
    const { code, out, err } = await run(...argv)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).not.toBe('')
    const machine = await run(...argv, '--json')
    expect({ ...machine, err: JSON.parse(machine.err) }).toMatchObject({
      code: 2,
      out: '',
      err: { error: { code: 'USAGE' } },
    })
  })

  it('is 0 for the help and the version', async () => {
    expect(await run('--version')).toEqual({ code: 0, out: '0.0.0\n', err: '' })
    expect((await run('apply', '--help')).out).toContain('--dry-run')
  })

  describe('is 3 if the gateway', () => {
    let hollow: { url: string; close(): void }
    let answer: { status: number; body: string | null }

    beforeAll(async () => {
      const server = createServer((_request, response) => {
        if (answer.body !== null) response.writeHead(answer.status).end(answer.body)
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      hollow = {
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        close: () => {
          server.closeAllConnections()
          server.close()
        },
      }
    })
    afterAll(() => hollow.close())

    it('does not listen', async () => {
      const url = gateway.url
      await gateway.close()
      for (const command of [['log'], ['watch']]) {
        expect(await cli({ url }, ...command)).toMatchObject({
          code: 3,
          err: expect.stringMatching(/No gateway answers at .*ECONNREFUSED/),
        })
      }
      const machine = await cli({ url }, 'log', '--json')
      expect(JSON.parse(machine.err)).toMatchObject({ error: { code: 'ECONNREFUSED' } })
    })

    it('does not answer in time', async () => {
      answer = { status: 200, body: null }
      expect(await cli(hollow, 'log', '--timeout', '0.2')).toMatchObject({
        code: 3,
        err: expect.stringContaining('did not answer within 0.2 s'),
      })
    })

    it.each([
      [404, '<html>'],
      [200, '{}'],
      [502, 'Bad Gateway'],
    ])('is not a gateway: HTTP %d %s', async (status, body) => {
      answer = { status, body }
      expect(await cli(hollow, 'log')).toMatchObject({ code: 3, err: expect.stringContaining('is not a gateway') })
    })
  })
})

describe('revert', () => {
  it('undoes one version on top of the head, and reports the entries that conflict', async () => {
    await json('apply', await write('a.json', entries({ id: 'a:x', data: 1 })))
    await json('apply', await write('a.json', entries({ id: 'a:x', data: 2 }, { id: 'a:y' })))
    expect((await run('revert', 'v2', '--dry-run')).out).toBe(
      'Dry run, nothing was changed: reverting v2 would change: 0 created, 1 updated, 1 deleted.\n',
    )
    expect((await run('revert', '2', '--message', 'no')).out).toBe(
      'Version 3 (revision 3) reverts v2: 0 created, 1 updated, 1 deleted.\n',
    )
    expect(await json('log')).toMatchObject([{ number: 3, previous: 2, message: 'no' }, {}, {}, {}])
    const refused = await run('revert', 'v2')
    expect(refused).toMatchObject({ code: 1, out: '' })
    expect(refused.err).toContain('a:x: CONFLICT: ')
    expect(await json('revert', 'v3')).toMatchObject({
      applied: { version: 4, revision: 4, dryRun: false, replayed: false, created: 1, updated: 1, deleted: 0 },
    })
    expect((await run('revert', 'v9')).code).toBe(1)
    expect((await run('revert', 'r2')).code).toBe(2)
  })
})

describe('compact', () => {
  beforeEach(async () => {
    for (const data of [1, 2, 3]) await json('apply', await write('a.json', entries({ id: 'a:x', data })))
  })

  it('removes the history before a revision, and only reports it in a dry run', async () => {
    expect((await run('compact', 'r3', '--dry-run')).out).toBe(
      'Dry run, nothing was changed: compacting before r3 would remove 2 versions and 2 changes.\n',
    )
    expect((await run('compact', 'r3')).out).toBe('Compacted 2 versions and 2 changes: the oldest revision is r3.\n')
    expect((await run('compact', '3')).out).toBe('Nothing to compact before r3: the oldest revision is r3.\n')
    expect(await json('compact', '2')).toEqual({ oldestRevision: 3, versions: 0, changes: 0, dryRun: false })
    expect(await run('get', 'a:x', '--at', 'r2')).toMatchObject({
      code: 1,
      err: expect.stringContaining('The oldest revision that can be read is 3') as string,
    })
    expect(await json('get', 'a:x', '--at', 'r3')).toMatchObject({ data: 3 })
    expect(await json('log')).toMatchObject([
      { number: 3 },
      { number: 2, updated: 1 },
      { number: 1, created: 1 },
      { number: 0 },
    ])
    expect(await run('rollback', 'v1')).toMatchObject({ code: 1, err: expect.stringContaining('COMPACTED') as string })
  })

  it('reports the tag that pins a version, and wrong revisions', async () => {
    await json('tag', 'release/1', 'v1')
    const pinned = await run('compact', 'r2')
    expect(pinned).toMatchObject({
      code: 1,
      err: expect.stringContaining('The tag release/1 pins version 1, of revision 1') as string,
    })
    expect((await run('compact', 'r1')).code).toBe(0)
    expect(await run('compact', 'r9')).toMatchObject({
      code: 1,
      err: expect.stringContaining('There is no revision 9') as string,
    })
    for (const wrong of ['v1', '-1', 'x', '1.5', '']) expect((await run('compact', '--', wrong)).code, wrong).toBe(2)
  })
})

describe('tag', () => {
  it('sets, lists and deletes tags, and --at accepts them', async () => {
    await json('apply', await write('a.json', entries({ id: 'a:x', data: 1 })))
    expect((await run('tag', 'release/1', 'head', '--author', 'ann')).out).toBe('The tag release/1 is on v1 (fixed).\n')
    await json('apply', await write('a.json', entries({ id: 'a:x', data: 2 })))
    expect((await run('tag', 'latest', 'v1', '--movable')).out).toBe('The tag latest is on v1 (movable).\n')
    expect((await run('tag', 'latest', 'v2', '--expected-version', 'v1')).out).toBe(
      'The tag latest is on v2 (movable).\n',
    )
    expect((await run('tag')).out).toMatch(
      /^latest {2}v2 {2}movable {2}\S+Z\nrelease\/1 {2}v1 {2}fixed {2}\S+Z {2}ann\n$/,
    )
    expect(await json('tag')).toMatchObject([
      { name: 'latest', version: 2, movable: true },
      { name: 'release/1', version: 1, author: 'ann' },
    ])
    expect(await json('tag', 'latest')).toMatchObject({ name: 'latest', version: 2 })
    expect(await json('get', 'a:x', '--at', 'tag:release/1')).toMatchObject({ data: 1 })
    expect((await run('diff', 'tag:release/1', 'tag:latest')).out).toContain('1 updated')
    expect(await json('tag', 'release/1', '--delete', '--force')).toMatchObject({ name: 'release/1', version: 1 })
    expect(await json('tag')).toHaveLength(1)
  })

  it('reports why a tag cannot be set or deleted', async () => {
    await json('apply', await write('a.json', entries({ id: 'a:x' })))
    await json('tag', 'one', 'v1')
    expect(await run('tag', 'one', 'v0')).toMatchObject({
      code: 1,
      err: expect.stringContaining('is fixed on version 1') as string,
    })
    expect(await run('tag', 'one', '--delete')).toMatchObject({ code: 1 })
    expect(await run('tag', 'none')).toMatchObject({
      code: 1,
      err: expect.stringContaining('There is no tag none') as string,
    })
    expect(await run('get', 'a:x', '--at', 'tag:none')).toMatchObject({ code: 1 })
    for (const wrong of [
      ['a b'],
      ['x', 'r1'],
      ['--delete'],
      ['one', '--force'],
      ['one', '--movable'],
      ['one', 'v1', '--movable', '--fixed'],
    ]) {
      expect((await run('tag', ...wrong)).code, wrong.join(' ')).toBe(2)
    }
  })
})
