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
