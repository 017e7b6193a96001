import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Gateway } from '../../src/server/gateway.js'
import { cli, openGateway } from './cli-fixture.js'

let gateway: Gateway
let folder: string

beforeAll(async () => {
  gateway = await openGateway()
  folder = await mkdtemp(join(tmpdir(), 'cadastre-cli-'))
})
afterAll(async () => {
  await gateway.close()
  await rm(folder, { recursive: true })
})

const run = (...argv: string[]) => cli(gateway, ...argv)

// JSON.stringify writes -0 as 0: in what `apply` sent, and in all that was printed.
it('-0 is sent and printed as -0', async () => {
  const path = join(folder, 'entries.jsonl')
  await writeFile(path, '{"id":"z:1","kind":"k","meta":{"m":-0},"data":[-0.0,{"a":-0,"t":"\\u0001-0"}]}\n')
  expect(await run('apply', path)).toMatchObject({ code: 0 })
  const meta = '"meta":{"m":-0}'
  const data = '"data":[-0,{"a":-0,"t":"\\u0001-0"}]'
  expect((await run('get', 'z:1', '--json')).out.replaceAll(/\s/g, '')).toContain(`${meta},${data}`)
  expect((await run('get', 'z:1')).out).toMatch(/m: -0/)
  expect((await run('export')).out).toBe(`{"id":"z:1","kind":"k",${meta},${data}}\n`)
  await writeFile(path, '{"id":"z:1","kind":"k","data":[-0,{"a":-1}]}\n')
  const plan = await run('plan', path)
  expect(plan.out).toContain('-0')
  expect((await run('plan', path, '--json')).out.replaceAll(/\s/g, '')).toContain('-0')
})

it('content of the deepest nesting survives an export, or is refused by name', async () => {
  const list = `${'['.repeat(1_000)}1${']'.repeat(1_000)}`
  const map = `${'{"k":'.repeat(1_000)}-0${'}'.repeat(1_000)}`
  await writeFile(
    join(folder, 'deep.jsonl'),
    `{"id":"deep:1","kind":"k","data":${list}}\n{"id":"deep:2","kind":"k","data":${map}}\n`,
  )
  expect(await run('apply', join(folder, 'deep.jsonl'))).toMatchObject({ code: 0 })
  for (const form of ['entry', 'wippy']) {
    const target = join(folder, form)
    const exported = await run('export', target, '--form', form)
    const planned = exported.code === 0 ? await run('plan', target) : exported
    if (planned.code === 0) expect(planned.out).toContain('unchanged')
    else expect(planned.out + planned.err).toContain('nested too deeply')
  }
})
