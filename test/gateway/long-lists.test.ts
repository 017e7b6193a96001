import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BACKENDS_WITH_HISTORY, create, remove, startTestGateway, type TestGateway, update } from './gateway-fixture.js'

/** Lists that were returned whole, however long. Each has a query, the arguments of the list in ARGS, and its items. */
const LISTS = {
  'dependencies by namespace and group':
    '{ entry(id: "app:all") { LIST: dependencies(ARGS) { cursor path target { id } } more: dependenciesTruncated(ARGS) } }',
  'dependencies by id':
    '{ entry(id: "app:many") { LIST: dependencies(ARGS) { cursor path target { id } } more: dependenciesTruncated(ARGS) } }',
  dependents:
    '{ entry(id: "lib:e0000") { LIST: dependents(ARGS) { cursor path source } more: dependentsTruncated(ARGS) } }',
  'operations of a delta':
    '{ entry: delta(from: {version: 0}, to: {version: 1}) { LIST: operations(ARGS) { cursor kind entryId } more: truncated(ARGS) } }',
} as const
const LENGTH = 1_205

describe.each(BACKENDS_WITH_HISTORY)('long lists, over %s', (backend) => {
  let gateway: TestGateway
  const names = Array.from({ length: LENGTH }, (_, i) => `lib:e${String(i).padStart(4, '0')}`)
  beforeAll(async () => {
    gateway = await startTestGateway(backend)
    await gateway.apply(
      ...names.map((id, i) => create(id, null, i < 2 ? { groups: ['g'] } : { depends_on: ['e0000'] })),
      create('app:all', null, { depends_on: ['lib:none', 'group:g', 'ns:lib', 'ns:empty', 'lib:e0001'] }),
      create('app:many', null, { depends_on: names }),
    )
  })
  afterAll(() => gateway.close())

  async function read(list: keyof typeof LISTS, args: string) {
    const document = LISTS[list].replace('LIST', 'items').replaceAll('(ARGS)', args === '' ? '' : `(${args})`)
    const { data, errors } = await gateway.query(document)
    return { items: (data?.entry?.items ?? []) as { cursor: string }[], more: data?.entry?.more as boolean, errors }
  }
  async function readAll(list: keyof typeof LISTS, first: number) {
    const items: { cursor: string }[] = []
    for (let args = `first: ${first}`; ; args = `first: ${first}, after: "${items.at(-1)!.cursor}"`) {
      const page = await read(list, args)
      expect(page.errors).toEqual([])
      expect(page.items.length).toBeLessThanOrEqual(first)
      items.push(...page.items)
      if (!page.more) return items
      expect(page.items.length).toBe(first)
    }
  }

  it.each(Object.keys(LISTS) as (keyof typeof LISTS)[])('%s are at most 1,000, and say so', async (list) => {
    // 20 entries that referred to a namespace made an answer of 62 MB.
    const whole = await read(list, '')
    expect([whole.items.length, whole.more]).toEqual([1_000, true])
    expect((await read(list, 'first: 0')).items).toEqual([])
    for (const first of [1_001, -1]) {
      const { errors } = await read(list, `first: ${first}`)
      expect(errors[0]!.extensions['code']).toBe('BAD_USER_INPUT')
    }
  })

  it.each(Object.keys(LISTS) as (keyof typeof LISTS)[])('%s are the same in pages of any size', async (list) => {
    const whole = await readAll(list, 1_000)
    expect(whole.slice(0, 1_000)).toEqual((await read(list, '')).items)
    expect(new Set(whole.map(({ cursor }) => cursor)).size).toBe(whole.length)
    for (const first of [401, 999]) expect(await readAll(list, first)).toEqual(whole)
  })

  it('hold everything: each target of a namespace, each referrer, each operation', async () => {
    const all = (await readAll('dependencies by namespace and group', 1_000)) as unknown as { target: { id: string } }[]
    expect(all.map(({ target }) => target?.id ?? null)).toEqual([
      null,
      'lib:e0000',
      'lib:e0001',
      ...names,
      null,
      'lib:e0001',
    ])
    expect(await readAll('dependents', 1_000)).toHaveLength(LENGTH - 2 + 3)
    expect(await readAll('operations of a delta', 1_000)).toHaveLength(LENGTH + 2)
  })

  it('continue where they were, though their entry has changed in between', async () => {
    await gateway.apply(create('tmp:a', null, { depends_on: ['x', 'y', 'z'] }))
    const pageOf = async (args: string) =>
      (await gateway.data(`{ entry(id: "tmp:a") { dependencies(${args}) { cursor reference } } }`)).entry.dependencies
    const [, second] = await pageOf('first: 2')
    await gateway.apply(update('tmp:a', null, { depends_on: ['x', 'changed', 'z'] }))
    expect((await pageOf(`after: "${second.cursor}"`)).map(({ reference }: any) => reference)).toEqual(['z'])
    await gateway.apply(remove('tmp:a'))
  })

  it('are refused where a request would find too many of them together', async () => {
    // No page size shows in advance how many entries a reference to a namespace means.
    const referrers = Array.from({ length: 260 }, (_, i) => `ref:${i}`)
    await gateway.apply(...referrers.map((id) => create(id, null, { depends_on: ['ns:lib'] })))
    const ask = (first: number) =>
      gateway.query(`{ entries(where: {ns: {eq: "ref"}}, first: ${first}) { nodes { dependencies { path } } } }`)
    expect((await ask(3)).errors).toEqual([])
    const { errors } = await ask(260)
    expect(errors[0]!.extensions['code']).toBe('QUERY_TOO_COMPLEX')
    expect(errors[0]!.message).toContain('250000')
    await gateway.apply(...referrers.map((id) => remove(id)))
  })

  it('refuse the cursor of another entry or delta', async () => {
    const { items } = await read('dependents', 'first: 1')
    for (const list of Object.keys(LISTS) as (keyof typeof LISTS)[]) {
      if (list === 'dependents') continue
      const { errors } = await read(list, `after: "${items[0]!.cursor}"`)
      expect(errors[0]!.extensions['code']).toBe('INVALID_CURSOR')
    }
  })
})
