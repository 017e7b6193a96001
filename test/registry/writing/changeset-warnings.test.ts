import { describe, expect, it } from 'vitest'
import type { Warning } from '../../../src/core/errors/warning.js'
import type { Registry } from '../../../src/registry/registry.js'
import type { RawOperation } from '../../../src/registry/writing/write-input.js'
import { apply, create, memoryRegistry, remove, update } from '../registry-fixture.js'

const to = (...targets: string[]) => ({ depends_on: targets })

async function warningsOf(
  registry: Registry,
  operations: readonly RawOperation[],
  dryRun = false,
): Promise<readonly Warning[]> {
  const outcome = await registry.applyChangeset({ operations, dryRun }, { author: null })
  if (outcome.type !== 'applied') throw new Error(JSON.stringify(outcome.problems))
  return registry.warningsOf(outcome)
}

async function registryWith(...operations: RawOperation[]): Promise<Registry> {
  const registry = memoryRegistry()
  await apply(registry, ...operations)
  return registry
}

describe('warnings about cycles', () => {
  it('name an entry that depends on itself', async () => {
    const registry = memoryRegistry()
    expect(await warningsOf(registry, [create('a:self', to('self')), create('a:other', to('self'))])).toEqual([
      { code: 'DEPENDENCY_CYCLE', message: 'a:self depends on itself', entryId: null, entryIds: ['a:self'] },
    ])
  })

  it('name the entries of a cycle in their order, and where it is broken', async () => {
    const [warning, ...others] = await warningsOf(memoryRegistry(), [
      create('a:1', to('2')),
      create('a:2', to('3')),
      create('a:3', to('1')),
    ])
    expect(others).toEqual([])
    const { entryIds, message } = warning!
    expect([...entryIds].sort()).toEqual(['a:1', 'a:2', 'a:3'])
    expect(message).toBe(
      `3 entries depend on each other in a cycle, which is broken at ${entryIds[0]}: ${entryIds.join(', ')}`,
    )
  })

  it('show five entries of a long cycle, and list all of them', async () => {
    const operations = [1, 2, 3, 4, 5, 6].map((n) => create(`a:${n}`, to(String((n % 6) + 1))))
    const [{ message, entryIds }] = (await warningsOf(memoryRegistry(), operations)) as [Warning]
    expect(entryIds).toHaveLength(6)
    expect(message).toContain(`: ${entryIds.slice(0, 5).join(', ')}, …`)
    const five = [1, 2, 3, 4, 5].map((n) => create(`a:${n}`, to(String((n % 5) + 1))))
    const [shorter] = await warningsOf(memoryRegistry(), five)
    expect(shorter!.message).not.toContain('…')
  })

  it('are at most 100, and the last one has the number of the others', async () => {
    const selves = (count: number) =>
      Array.from({ length: count }, (_, n) => create(`a:${1000 + n}`, to(String(1000 + n))))
    const hundred = await warningsOf(memoryRegistry(), selves(100))
    expect(new Set(hundred.map(({ code }) => code))).toEqual(new Set(['DEPENDENCY_CYCLE']))
    expect(hundred).toHaveLength(100)
    const more = await warningsOf(memoryRegistry(), selves(103))
    expect(more).toHaveLength(100)
    expect(more.at(-1)).toEqual({
      code: 'MORE_WARNINGS',
      message: '4 more warnings are not listed. Split the changeset to see them.',
      entryId: null,
      entryIds: [],
    })
    expect(more.slice(0, -1)).toEqual(hundred.slice(0, -1))
  })
})

describe('warnings about dangling dependents', () => {
  const dangling = (lost: string, still: string, entryId: string | null, ...entryIds: string[]): Warning => ({
    code: 'DANGLING_DEPENDENTS',
    message: `${lost} is deleted, and ${still} to it: ${entryIds.join(', ')}`,
    entryId: entryId as Warning['entryId'],
    entryIds: entryIds as unknown as Warning['entryIds'],
  })

  it.each([false, true])('name those of each deleted entry, sorted, in a dry run too: %s', async (dryRun) => {
    const registry = await registryWith(
      create('a:x'),
      create('a:y'),
      create('a:alone'),
      create('b:2', to('a:x')),
      create('b:1', to('a:x')),
      create('b:3', to('a:y')),
    )
    const operations = [remove('a:y'), remove('a:x'), remove('a:alone')]
    expect(await warningsOf(registry, operations, dryRun)).toEqual([
      dangling('a:x', '2 entries still refer', 'a:x', 'b:1', 'b:2'),
      dangling('a:y', '1 entry still refers', 'a:y', 'b:3'),
    ])
  })

  it('count what the changeset makes of the dependents', async () => {
    const registry = await registryWith(
      create('a:x'),
      create('b:freed', to('a:x')),
      create('b:gone', to('a:x')),
      create('b:bound'),
      create('b:untouched', to('a:x')),
    )
    const operations = [
      remove('a:x'),
      remove('b:gone'),
      update('b:freed'),
      update('b:bound', to('a:x')),
      create('b:new', to('a:x')),
    ]
    expect(await warningsOf(registry, operations)).toEqual([
      dangling('a:x', '3 entries still refer', 'a:x', 'b:bound', 'b:new', 'b:untouched'),
    ])
  })

  it('are not given of an entry that is replaced', async () => {
    const registry = await registryWith(create('a:x'), create('b:1', to('a:x')))
    const replaced = [remove('a:x'), create('a:x', {}, null, 'test.other')]
    expect(await warningsOf(registry, replaced)).toEqual([])
  })

  it.each([false, true])('name those of an emptied namespace and group, in a dry run too: %s', async (dryRun) => {
    const registry = await registryWith(
      create('empty:1', { groups: ['g', 'h'] }),
      create('empty:2', { groups: ['g'] }),
      create('c:rest', { groups: ['h'] }),
      create('d:ns', to('ns:empty')),
      create('d:g', to('group:g')),
      create('d:h', to('group:h')),
    )
    expect(await warningsOf(registry, [remove('empty:1')], true)).toEqual([])
    expect(await warningsOf(registry, [remove('empty:1'), remove('empty:2')], dryRun)).toEqual([
      dangling('the last entry of the group g', '1 entry still refers', null, 'd:g'),
      dangling('the last entry of the namespace empty', '1 entry still refers', null, 'd:ns'),
    ])
  })

  it('are not given of a namespace or group that the changeset fills again', async () => {
    const registry = await registryWith(
      create('empty:1', { groups: ['g'] }),
      create('d:ns', to('ns:empty')),
      create('d:g', to('group:g')),
    )
    expect(await warningsOf(registry, [remove('empty:1'), create('empty:2', { groups: ['g'] })])).toEqual([])
  })

  it('come after those about cycles', async () => {
    const registry = await registryWith(create('a:x'), create('b:1', to('a:x')))
    const codes = (await warningsOf(registry, [remove('a:x'), create('b:self', to('self'))])).map(({ code }) => code)
    expect(codes).toEqual(['DEPENDENCY_CYCLE', 'DANGLING_DEPENDENTS'])
  })
})
