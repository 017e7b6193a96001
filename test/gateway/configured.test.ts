import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BACKENDS_WITH_HISTORY, create, startTestGateway, type TestGateway } from './gateway-fixture.js'

const YAML = `
dependencies:
  - { path: meta.uses }
  - { path: data.steps.*.run, allowWildcard: true }
  - { path: data.on_*, allowWildcard: true }
  - { path: data.*_ref, allowWildcard: true }
  - { path: data.a*z.to, allowWildcard: true }
  - { path: "data.literal.*" }
limits: { entryBytes: 100, changesetOperations: 3, changesetBytes: 250 }
`

describe.each(BACKENDS_WITH_HISTORY)('a configured gateway, over %s', (backend) => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await startTestGateway(backend, YAML)
  })
  afterAll(() => gateway.close())

  it('finds dependencies by the configured patterns, and by no others', async () => {
    await gateway.apply(
      create('c:a', { steps: [{ run: 'x' }, { run: ['y'] }], on_: 'x' }, { uses: { k: 'x' }, parent: 'x' }),
    )
    await gateway.apply(
      create('c:b', { on_a: 'x', on: 'x', my_ref: 'y', _ref: 'y', az: { to: 'x' }, a1z: { to: 'y' }, a: { to: 'x' } }),
    )
    await gateway.apply(create('c:d', { literal: { '*': 'x', k: 'x' } }), create('c:x'), create('c:y'))
    const paths = async (id: string) =>
      (
        await gateway.data('query ($id: EntryID!) { entry(id: $id) { dependencies { path } } }', { id })
      ).entry.dependencies
        .map(({ path }: any) => path)
        .sort()
    expect(await paths('c:a')).toEqual(['data.on_', 'data.steps.0.run', 'data.steps.1.run.0', 'meta.uses.k'])
    expect(await paths('c:b')).toEqual(['data._ref', 'data.a1z.to', 'data.az.to', 'data.my_ref', 'data.on_a'])
    expect(await paths('c:d')).toEqual(['data.literal.*'])
    const { entry } = await gateway.data('{ entry(id: "c:y") { dependents { source path } } }')
    expect(entry.dependents).toEqual([
      { source: 'c:a', path: 'data.steps.1.run.0' },
      { source: 'c:b', path: 'data._ref' },
      { source: 'c:b', path: 'data.a1z.to' },
      { source: 'c:b', path: 'data.my_ref' },
    ])
  })

  it('enforces the configured limits, to the byte', async () => {
    const text = (bytes: number) => 'x'.repeat(bytes - 4)
    await gateway.apply(create('l:entry', text(100)))
    expect(await gateway.refused({ operations: [create('l:a', text(101))] })).toEqual(['TOO_LARGE@0'])
    expect(await gateway.refused({ operations: [create('l:a', 'é'.repeat(49))] })).toEqual(['TOO_LARGE@0'])
    await gateway.apply(create('l:1'), create('l:2'), create('l:3'))
    expect(await gateway.refused({ operations: [create('l:4'), create('l:5'), create('l:6'), create('l:7')] })).toEqual(
      ['TOO_LARGE'],
    )
    await gateway.apply(create('l:8', text(100)), create('l:9', text(100)), create('l:10', text(50)))
    expect(
      await gateway.refused({
        operations: [create('l:11', text(100)), create('l:12', text(100)), create('l:13', text(51))],
      }),
    ).toEqual(['TOO_LARGE'])
  })
})
