import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Gateway } from '../../../src/server/gateway.js'
import { cli, openGateway } from '../cli-fixture.js'

let folder: string
let gateway: Gateway
const write = (name: string, ...things: object[]) =>
  writeFileSync(join(folder, 'registry', name), JSON.stringify(things))
const thing = (name: string, data: unknown) => ({ id: `app:${name}`, kind: 'test.thing', data })
const run = (...argv: string[]) => cli(gateway, 'source', ...argv)

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cadastre-cli-'))
  mkdirSync(join(folder, 'registry'))
  write('a.json', thing('a', 1), thing('b', 1))
  writeFileSync(
    join(folder, 'cadastre.yaml'),
    'sources: [{ name: app, provider: filesystem, path: ./registry, form: entry, watch: false }]\n',
  )
  gateway = await openGateway({ CADASTRE_CONFIG: join(folder, 'cadastre.yaml') })
  expect((await run('reload', 'app')).code).toBe(0)
})
afterEach(async () => {
  await gateway.close()
  rmSync(folder, { recursive: true })
})

describe('cadastre source', () => {
  it('lists the sources and their failures', async () => {
    writeFileSync(join(folder, 'registry', 'bad.json'), '[{')
    await run('reload', 'app')
    const { code, out, err } = await run('list')
    expect(code).toBe(0)
    expect(out).toMatch(
      /^NAME +PROVIDER +STATUS +LOADED +FAILED +LAST RELOAD\napp +filesystem +IDLE +2 +1 +\d{4}-\d\d-\d\dT\S+Z\n$/,
    )
    expect(err).toMatch(/^error bad\.json:1: /)
    expect(JSON.parse((await run('list', '--json')).out)).toMatchObject([
      { name: 'app', loaded: 2, failed: 1, failures: [{ location: 'bad.json', line: 1 }] },
    ])
  })

  it('shows the changes of a reload, and reloads', async () => {
    write('a.json', thing('a', 2), thing('c', 1))
    const planned = await run('plan', 'app')
    expect(planned).toMatchObject({ code: 0, err: '' })
    expect(planned.out).toContain('- delete app:b  test.thing\n')
    expect(planned.out).toContain('~ update app:a  test.thing\n    ~ data: 1 → 2\n')
    expect(planned.out).toContain('+ create app:c  test.thing\n    + data: 1\n')
    expect(planned.out).toMatch(/\nPlan: 1 to create, 1 to update, 1 to delete\.\n$/)
    expect(JSON.parse((await run('plan', 'app', '--json')).out)).toMatchObject({
      created: 1,
      updated: 1,
      deleted: 1,
      failures: [],
    })

    expect(await run('reload', 'app')).toEqual({
      code: 0,
      out: 'Version 2: 1 created, 1 updated, 1 deleted; 2 loaded, 0 failed.\n',
      err: '',
    })
    expect(await run('reload', 'app')).toEqual({ code: 0, out: 'Nothing to change; 2 loaded, 0 failed.\n', err: '' })
    expect((await run('plan', 'app')).out).toBe('Nothing to change.\n')
    expect(JSON.parse((await run('reload', 'app', '--json')).out)).toEqual({
      created: 0,
      updated: 0,
      deleted: 0,
      version: null,
      status: 'IDLE',
      loaded: 2,
      failed: 0,
      failures: [],
    })
  })

  it('reports failures, an unknown source and wrong usage by its exit code', async () => {
    writeFileSync(join(folder, 'registry', 'bad.json'), '[{')
    expect(await run('reload', 'app')).toMatchObject({ code: 1, err: expect.stringContaining('error bad.json:1: ') })
    expect(await run('reload', 'other')).toMatchObject({ code: 1, err: expect.stringContaining('no source "other"') })
    expect((await run('plan')).code).toBe(2)
    expect((await run('list', 'app')).code).toBe(2)
    expect((await run('forget', 'app')).code).toBe(2)
  })
})

describe('apply --prune and plan --prune', () => {
  // The files of a source define its entries, so they are missing in every other folder.
  it('leave the entries that a source owns, unless they are included', async () => {
    const path = join(folder, 'mine.json')
    writeFileSync(path, JSON.stringify([thing('mine', 1), thing('old', 1)]))
    const cadastre = (...argv: string[]) => cli(gateway, ...argv)
    expect((await cadastre('apply', path)).code).toBe(0)
    writeFileSync(path, JSON.stringify([thing('mine', 1)]))
    const note = '2 entries stay, because sources own them: app (2). Add --including-owned to delete them too\n'

    const planned = await cadastre('plan', path, '--prune')
    expect(planned).toMatchObject({ code: 0, err: note })
    expect(planned.out).toContain('- delete app:old')
    expect(planned.out).toContain('1 to delete')
    expect((await cadastre('plan', path, '--prune', '--including-owned')).out).toContain('3 to delete')

    expect(await cadastre('apply', path, '--prune')).toMatchObject({
      code: 0,
      err: note,
      out: expect.stringContaining('0 created, 0 updated, 1 deleted'),
    })
    const again = await cadastre('apply', path, '--prune', '--json')
    expect(again).toMatchObject({ code: 0, err: '' })
    expect(JSON.parse(again.out)).toMatchObject({
      applied: null,
      retained: [
        { entryId: 'app:a', source: 'app' },
        { entryId: 'app:b', source: 'app' },
      ],
    })
    expect((await cadastre('apply', path, '--prune', '--including-owned')).out).toContain('2 deleted')
    expect(JSON.parse((await cadastre('find', '--json')).out)).toMatchObject([{ id: 'app:mine' }])
  })

  it('leave an entry of a source that somebody else has changed since', async () => {
    const path = join(folder, 'mine.json')
    writeFileSync(path, JSON.stringify([thing('a', 'changed by hand')]))
    expect((await cli(gateway, 'apply', path)).code).toBe(0)
    writeFileSync(path, JSON.stringify([thing('mine', 1)]))
    expect((await cli(gateway, 'apply', path, '--prune')).out).toContain('1 created, 0 updated, 0 deleted')
  })

  it('find the owner of each entry, however many entries a source owns', async () => {
    writeFileSync(
      join(folder, 'registry', 'many.json'),
      JSON.stringify(Array.from({ length: 2500 }, (_, i) => thing(`many-${i}`, i))),
    )
    expect((await run('reload', 'app')).code).toBe(0)
    const path = join(folder, 'mine.json')
    writeFileSync(path, JSON.stringify([thing('mine', 1)]))
    const { out } = await cli(gateway, 'apply', path, '--prune', '--json')
    expect(JSON.parse(out)).toMatchObject({ applied: { deleted: 0 }, retained: { length: 2502 } })
  })
})
