import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { BACKENDS_WITH_HISTORY, create, remove, startTestGateway, type TestGateway, update } from './gateway-fixture.js'

describe.each([...BACKENDS_WITH_HISTORY, 'none'] as const)('dependencies, over %s', (backend) => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await startTestGateway(backend)
  })
  afterAll(() => gateway.close())

  let n = 0
  let ns: string
  beforeEach(() => {
    ns = `t${++n}`
  })

  /** Each dependency as `path = reference -> target`. */
  const dependencies = async (id: string): Promise<string[]> => {
    const { entry } = await gateway.data(
      'query ($id: EntryID!) { entry(id: $id) { dependencies { path reference source target { id kind } } } }',
      { id },
    )
    for (const { source } of entry.dependencies) expect(source).toBe(id)
    return entry.dependencies.map(
      ({ path, reference, target }: any) => `${path} = ${reference} -> ${target?.id ?? null}`,
    )
  }
  /** Each dependent as `source path = reference`. */
  const dependents = async (id: string): Promise<string[]> => {
    const { entry } = await gateway.data(
      'query ($id: EntryID!) { entry(id: $id) { dependents { path reference source target { id } } } }',
      { id },
    )
    for (const { target } of entry.dependents) expect(target.id).toBe(id)
    return entry.dependents.map(({ path, reference, source }: any) => `${source} ${path} = ${reference}`)
  }

  it('are found by every default pattern, in strings, lists and maps', async () => {
    const ref = (name: string) => `${ns}:${name}`
    const meta = {
      parent: ref('p'),
      depends_on: [ref('d0'), 5, ref('d1'), null, ['nested'], ref('d0')],
      server: { a: ref('s1'), b: 1, c: ref('s2'), d: { e: 'deep' } },
      router: ref('r'),
      temporal: { activity: { worker: ref('w1') }, workflow: { worker: ref('w2') } },
      other: ref('no'),
      groups: ['g'],
    }
    const data = {
      config: ref('c'),
      imports: { client: ref('i1'), many: [ref('i2')] },
      depends_on: ref('dd'),
      step: { depends_on: [ref('st')] },
      lifecycle: {
        depends_on: [ref('l1')],
        requires: ref('l2'),
        security: { policies: [ref('l3')], groups: [ref('l4')] },
      },
      security: { policies: [ref('x1')], groups: [ref('x2')] },
      storage: ref('f1'),
      storages: [ref('f2')],
      store: ref('f3'),
      bucket: ref('f4'),
      queue: ref('f5'),
      dead_letter: { queue: ref('f6') },
      func: ref('f7'),
      driver: ref('f8'),
      host: ref('f9'),
      process: ref('g1'),
      server: ref('g2'),
      middleware: [ref('g3')],
      post_middleware: [ref('g4')],
      network: ref('g5'),
      token_store: ref('g6'),
      set: ref('g7'),
      env: ref('g8'),
      fs: ref('g9'),
      contracts: [{ contract: ref('h1'), methods: { get: ref('h2'), put: [ref('h3')] } }, { contract: ref('h4') }],
      name: ref('no'),
      imports2: ref('no'),
    }
    await gateway.apply(create(`${ns}:all`, data, meta))
    const found = (await dependencies(`${ns}:all`)).map((each) =>
      each.replace(` = ${ns}:`, ' ').replace(' -> null', ''),
    )
    expect([...found].sort()).toEqual(
      [
        'meta.parent p',
        'meta.depends_on.0 d0',
        'meta.depends_on.2 d1',
        'meta.depends_on.5 d0',
        'meta.server.a s1',
        'meta.server.c s2',
        'meta.router r',
        'meta.temporal.activity.worker w1',
        'meta.temporal.workflow.worker w2',
        'data.config c',
        'data.imports.client i1',
        'data.imports.many.0 i2',
        'data.depends_on dd',
        'data.step.depends_on.0 st',
        'data.lifecycle.depends_on.0 l1',
        'data.lifecycle.requires l2',
        'data.lifecycle.security.policies.0 l3',
        'data.lifecycle.security.groups.0 l4',
        'data.security.policies.0 x1',
        'data.security.groups.0 x2',
        'data.storage f1',
        'data.storages.0 f2',
        'data.store f3',
        'data.bucket f4',
        'data.queue f5',
        'data.dead_letter.queue f6',
        'data.func f7',
        'data.driver f8',
        'data.host f9',
        'data.process g1',
        'data.server g2',
        'data.middleware.0 g3',
        'data.post_middleware.0 g4',
        'data.network g5',
        'data.token_store g6',
        'data.set g7',
        'data.env g8',
        'data.fs g9',
        'data.contracts.0.contract h1',
        'data.contracts.0.methods.get h2',
        'data.contracts.0.methods.put.0 h3',
        'data.contracts.1.contract h4',
      ].sort(),
    )
  })

  it('lists a reference once, however many patterns find it', async () => {
    await gateway.apply(create(`${ns}:a`, { lifecycle: { depends_on: ['x', 'y'] }, imports: { depends_on: ['z'] } }))
    expect((await dependencies(`${ns}:a`)).sort()).toEqual([
      'data.imports.depends_on.0 = z -> null',
      'data.lifecycle.depends_on.0 = x -> null',
      'data.lifecycle.depends_on.1 = y -> null',
    ])
  })

  it('resolves a bare name in the same namespace and a full id in any, and retains dangling references', async () => {
    await gateway.apply(
      create(`${ns}:a`, null, { depends_on: ['b', `${ns}.x:b`, 'nowhere', `${ns}:b:c`, 'no space ', ''] }),
      create(`${ns}:b`),
      create(`${ns}.x:b`),
      create(`${ns}:b:c`),
    )
    expect((await dependencies(`${ns}:a`)).slice(0, 5)).toEqual([
      `meta.depends_on.0 = b -> ${ns}:b`,
      `meta.depends_on.1 = ${ns}.x:b -> ${ns}.x:b`,
      'meta.depends_on.2 = nowhere -> null',
      `meta.depends_on.3 = ${ns}:b:c -> ${ns}:b:c`,
      'meta.depends_on.4 = no space  -> null',
    ])
    expect(await dependents(`${ns}:b`)).toEqual([`${ns}:a meta.depends_on.0 = b`])
    // The reference has a target as soon as the entry exists, and loses it with the entry.
    await gateway.apply(create(`${ns}:nowhere`))
    expect(await dependencies(`${ns}:a`)).toContain(`meta.depends_on.2 = nowhere -> ${ns}:nowhere`)
    expect(await dependents(`${ns}:nowhere`)).toEqual([`${ns}:a meta.depends_on.2 = nowhere`])
    await gateway.apply(remove(`${ns}:nowhere`))
    expect(await dependencies(`${ns}:a`)).toContain('meta.depends_on.2 = nowhere -> null')
  })

  it('resolves an id in NFD to the one in NFC', async () => {
    await gateway.apply(create(`${ns}:caf\u00e9`), create(`${ns}:a`, { config: 'cafe\u0301' }))
    expect(await dependencies(`${ns}:a`)).toEqual([`data.config = cafe\u0301 -> ${ns}:caf\u00e9`])
    expect(await dependents(`${ns}:caf\u00e9`)).toEqual([`${ns}:a data.config = cafe\u0301`])
  })

  it('resolves ns:N to every other entry of the namespace', async () => {
    await gateway.apply(
      create(`${ns}:a`, null, { depends_on: [`ns:${ns}`, `ns:${ns}.none`] }),
      create(`${ns}:b`),
      create(`${ns}:c`),
      create(`${ns}.sub:d`),
      create(`${ns}.far:e`, null, { parent: `ns:${ns}` }),
    )
    expect(await dependencies(`${ns}:a`)).toEqual([
      `meta.depends_on.0 = ns:${ns} -> ${ns}:b`,
      `meta.depends_on.0 = ns:${ns} -> ${ns}:c`,
      `meta.depends_on.1 = ns:${ns}.none -> null`,
    ])
    expect(await dependencies(`${ns}.far:e`)).toHaveLength(3)
    expect(await dependents(`${ns}:b`)).toEqual(
      [`${ns}.far:e meta.parent = ns:${ns}`, `${ns}:a meta.depends_on.0 = ns:${ns}`].sort((a, b) =>
        a.startsWith(`${ns}:`) ? -1 : b.startsWith(`${ns}:`) ? 1 : 0,
      ),
    )
    expect(await dependents(`${ns}:a`)).toEqual([`${ns}.far:e meta.parent = ns:${ns}`])
    expect(await dependents(`${ns}.sub:d`)).toEqual([])
  })

  it('resolves group:G to every other entry whose meta.groups contains G', async () => {
    const g = `${ns}-g é:1`
    await gateway.apply(
      create(`${ns}:a`, { depends_on: [`group:${g}`] }, { groups: [g] }),
      create(`${ns}:b`, null, { groups: ['other', g, g] }),
      create(`${ns}.x:c`, null, { groups: [g] }),
      create(`${ns}:text`, null, { groups: g }),
      create(`${ns}:map`, null, { groups: { 0: g } }),
      create(`${ns}:none`),
    )
    expect(await dependencies(`${ns}:a`)).toEqual([
      `data.depends_on.0 = group:${g} -> ${ns}:b`,
      `data.depends_on.0 = group:${g} -> ${ns}.x:c`,
    ])
    expect(await dependents(`${ns}:b`)).toEqual([`${ns}:a data.depends_on.0 = group:${g}`])
    expect(await dependents(`${ns}:a`)).toEqual([])
    expect(await dependents(`${ns}:text`)).toEqual([])
    await gateway.apply(update(`${ns}:b`, null, { groups: [] }))
    expect(await dependencies(`${ns}:a`)).toEqual([`data.depends_on.0 = group:${g} -> ${ns}.x:c`])
    expect(await dependents(`${ns}:b`)).toEqual([])
  })

  it('lists a direct self-reference, which does not affect the order', async () => {
    const result = await gateway.applyChangeset({
      operations: [create(`${ns}:b`, null, { depends_on: [`${ns}:b`] }), create(`${ns}:a`, null, { parent: 'a' })],
    })
    expect(result.changes.map(({ entryId }: any) => entryId)).toEqual([`${ns}:a`, `${ns}:b`])
    expect(await dependencies(`${ns}:b`)).toEqual([`meta.depends_on.0 = ${ns}:b -> ${ns}:b`])
    expect(await dependents(`${ns}:b`)).toEqual([`${ns}:b meta.depends_on.0 = ${ns}:b`])
    expect(await dependents(`${ns}:a`)).toEqual([`${ns}:a meta.parent = a`])
  })

  it('change with the content of the entry: updated, deleted, replaced and rolled back', async () => {
    await gateway.apply(create(`${ns}:a`, null, { parent: 'x' }), create(`${ns}:x`), create(`${ns}:y`))
    const { currentVersion } = await gateway.data('{ currentVersion { number } }')
    await gateway.apply(update(`${ns}:a`, null, { parent: 'y' }))
    expect([await dependents(`${ns}:x`), await dependents(`${ns}:y`)]).toEqual([[], [`${ns}:a meta.parent = y`]])
    await gateway.apply(remove(`${ns}:a`), create(`${ns}:a`, { host: 'x' }, {}, 'other'))
    expect([await dependents(`${ns}:x`), await dependents(`${ns}:y`)]).toEqual([[`${ns}:a data.host = x`], []])
    await gateway.apply(remove(`${ns}:a`))
    expect(await dependents(`${ns}:x`)).toEqual([])
    if (backend === 'none') return
    await gateway.moveTo(currentVersion.number)
    expect([await dependents(`${ns}:x`), await dependents(`${ns}:y`)]).toEqual([[`${ns}:a meta.parent = x`], []])
  })

  it('order a changeset by references to namespaces and groups too', async () => {
    const result = await gateway.applyChangeset({
      operations: [
        create(`${ns}:a`, null, { depends_on: [`ns:${ns}.late`] }),
        create(`${ns}:b`, null, { depends_on: [`group:${ns}`] }),
        create(`${ns}.late:y`, null, { parent: `${ns}.late:z` }),
        create(`${ns}.late:z`),
        create(`${ns}:c`, null, { groups: [ns] }),
      ],
    })
    expect(result.changes.map(({ entryId }: any) => entryId)).toEqual([
      `${ns}:c`,
      `${ns}:b`,
      `${ns}.late:z`,
      `${ns}.late:y`,
      `${ns}:a`,
    ])
  })
})
