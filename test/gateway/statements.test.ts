import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { schema } from '../../src/graphql/schema.js'
import { countStatements, type StatementCounter } from '../graphql/loading/count-statements.js'
import { openStream } from './following-stream.js'
import { create, remove, startTestGateway, type TestGateway, update } from './gateway-fixture.js'

/*
 * An answer that reads what the gateway already knew costs each changeset a statement: 843 changesets a second instead
 * of 2,061 with 64 clients that select `version { number }`. So a selection must send as many statements as
 * `__typename` alone.
 */

const VERSION = 'version { number author message createdAt digest previous { number } }'
const CHANGE =
  'kind entryId revision entry { id digest data version { number } } previous { id revision version { number } }'
/** Everything that a write knows of itself. */
const APPLIED = `__typename ... on Applied {
  ${VERSION} dryRun replayed warnings { code }
  transition { id revision kind from { number author } to { number } createdAt changes(first: 2) { totalCount nodes { ${CHANGE} } } }
  changes { ${CHANGE} }
  delta { created updated deleted operations { kind entryId entry { data } original { data } } }
}`
const CHANGESET = `... on Applied { version { changeset { created operations { nodes {
  kind entryId entry { id digest version { number } } original { id revision version { number } }
} } } } }`

interface Mutation {
  /** The arguments of each request, which must not be refused. */
  readonly args: (n: number) => Promise<string> | string
  readonly minimal: string
  readonly full: string
  /** Whether the number of statements depends on time: the gateway polls for the result. */
  readonly isPolled?: boolean
}

const idOf = (n: number) => `w:e${n}`

describe('the number of statements', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cadastre-source-'))
  let counter: StatementCounter
  let gateway: TestGateway

  beforeAll(async () => {
    const yaml = `sources: [{ name: files, provider: filesystem, path: ${JSON.stringify(folder)}, watch: false }]\n`
    gateway = await startTestGateway('postgres', yaml, async (url) => {
      counter = await countStatements(url)
      return counter.url
    })
    await gateway.apply(
      ...Array.from({ length: 20 }, (_, n) => create(`a:e${n}`, n, { depends_on: [`a:e${(n + 1) % 20}`] })),
    )
    for (let round = 0; round < 5; round++) await gateway.apply(update(`a:e${round}`, { round }))
  })
  afterAll(async () => {
    await gateway.close()
    await counter.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** The least of several tries, because background work sends statements too. */
  async function statements(send: (n: number) => Promise<unknown>): Promise<{ count: number; texts: string[] }> {
    let least = { count: Infinity, texts: [] as string[] }
    for (let tried = 0; tried < 4; tried++) {
      const begun = counter.statements
      await send(sent++)
      const count = counter.statements - begun
      if (count < least.count) least = { count, texts: counter.texts.slice(begun) }
    }
    return least
  }
  let sent = 0

  const inputOf = (text: string) => `(input: {${text}})`
  const versionInput = async (n: number) => {
    const revision = await gateway.apply(update('a:e9', { n }))
    return inputOf(`version: ${revision % 2 === 0 ? 2 : 3}`)
  }
  const operations = (...texts: string[]) => inputOf(`message: "m", operations: [${texts.join(', ')}]`)

  const MUTATIONS: Readonly<Record<string, readonly Mutation[]>> = {
    applyChangeset: [
      {
        args: (n) => operations(`{create: {id: "${idOf(n)}", kind: "k", data: ${n}}}`),
        minimal: '__typename',
        full: `${APPLIED} ${CHANGESET}`,
      },
      {
        args: (n) => operations(`{update: {id: "a:e0", kind: "test.thing", data: ${n}}}`),
        minimal: '__typename',
        full: `${APPLIED} ${CHANGESET}`,
      },
      {
        args: async (n) => {
          await gateway.apply(create(idOf(n)))
          return operations(`{delete: {id: "${idOf(n)}"}}, {create: {id: "x:${idOf(n)}", kind: "k"}}`)
        },
        minimal: '__typename ... on Applied { warnings { code } }',
        full: `${APPLIED} ${CHANGESET}`,
      },
      {
        args: (n) => inputOf(`dryRun: true, operations: [{create: {id: "${idOf(n)}", kind: "k"}}]`),
        minimal: '__typename',
        full: APPLIED,
      },
    ],
    applyVersion: [{ args: versionInput, minimal: '__typename', full: APPLIED }],
    revertVersion: [
      {
        args: async (n) => {
          await gateway.apply(create(`r:${n}`))
          const { currentVersion } = await gateway.data('{ currentVersion { number } }')
          return inputOf(`version: ${currentVersion.number}`)
        },
        minimal: '__typename ... on Applied { warnings { code } }',
        full: `${APPLIED} ${CHANGESET}`,
      },
    ],
    setTag: [
      {
        args: (n) => inputOf(`name: "t${n}", version: ${n % 5}`),
        minimal: '__typename',
        full: `id name movable createdAt author ${VERSION}`,
      },
    ],
    deleteTag: [
      {
        args: async (n) => {
          await gateway.data(`mutation { setTag(input: {name: "d${n}", version: 1, movable: true}) { name } }`)
          return `(name: "d${n}")`
        },
        minimal: '__typename',
        full: `id name movable createdAt author ${VERSION}`,
      },
    ],
    compact: [
      { args: () => '(before: 1, dryRun: true)', minimal: '__typename', full: 'oldestRevision versions changes' },
    ],
    acquireInstance: [
      {
        args: (n) => inputOf(`entry: "a:e1", name: "i${n}", ttlSeconds: 3600, metadata: {n: ${n}}`),
        minimal: '__typename',
        full: 'id entryId name metadata acquiredAt expiresAt fencingToken',
      },
    ],
    renewInstance: [
      {
        args: async (n) => {
          const { acquireInstance } = await gateway.data(
            `mutation { acquireInstance(input: {entry: "a:e2", name: "i${n}", ttlSeconds: 3600}) { id } }`,
          )
          return `(id: "${acquireInstance.id}")`
        },
        minimal: '__typename',
        full: 'id entryId name metadata acquiredAt expiresAt fencingToken',
      },
    ],
    releaseInstance: [{ args: (n) => `(id: "no-instance-${n}")`, minimal: '', full: '' }],
    answerProposal: [
      {
        args: () => inputOf('proposal: "00000000-0000-4000-8000-000000000000", accept: true'),
        minimal: '__typename',
        full: 'proposal counted',
      },
    ],
    reloadSource: [
      {
        args(n) {
          writeFileSync(join(folder, `file${n}.yaml`), `namespace: files\nname: f${n}\nkind: test.file\n`)
          return '(name: "files")'
        },
        minimal: '__typename',
        full: `created updated deleted failures { message } ${VERSION}`,
        isPolled: true,
      },
    ],
  }

  it('is checked for every mutation', () => {
    expect(Object.keys(MUTATIONS).sort()).toEqual(Object.keys(schema.getMutationType()!.getFields()).sort())
  })

  for (const [name, requests] of Object.entries(MUTATIONS)) {
    it.each(requests)(
      `of ${name} does not grow with what its answer selects: $full`,
      async ({ args, minimal, full, isPolled = false }) => {
        const send = async (selection: string) => {
          const found: string[][] = []
          for (let tried = 0; tried < 4; tried++) {
            const given = await args(sent++)
            found.push(await statementsOnce(() => gateway.data(`mutation { ${name}${given} ${braced(selection)} }`)))
          }
          return found.sort((one, other) => one.length - other.length)
        }
        const [least, most] = [await send(minimal), await send(full)]
        const known = new Set(least.flat())
        expect(most[0]!.filter((text) => !known.has(text))).toEqual([])
        if (!isPolled) expect(most[0]!.length, most[0]!.join('\n\n')).toBeLessThanOrEqual(least[0]!.length)
      },
    )
  }

  async function statementsOnce(send: () => Promise<unknown>): Promise<string[]> {
    const begun = counter.texts.length
    await send()
    return counter.texts.slice(begun)
  }

  /** Documents that read, and the statements of each once the gateway has seen the versions. */
  const READS: Readonly<Record<string, number>> = {
    '{ entry(id: "a:e1") { id version { number author } } }': 1,
    '{ currentVersion { number author } }': 1,
    '{ currentVersion { number previous { number previous { number } } } }': 1,
    '{ version(number: 2) { number author previous { number } } }': 0,
    '{ node(id: "v2") { ... on Version { number } } }': 0,
    '{ node(id: "t3") { ... on Transition { revision from { number } to { number } } } }': 0,
    '{ entries(first: 10) { nodes { id version { number author } } } }': 2,
    '{ entries(where: {ns: {eq: "a"}}, first: 5) { nodes { id version { number } } } }': 1,
    '{ versions(first: 5) { nodes { number author previous { number } } } }': 1,
    '{ transitions(first: 5) { nodes { revision from { number } to { number author } } } }': 1,
    '{ entry(id: "a:e1") { dependencies { path target { id version { number } } } } }': 2,
    '{ entry(id: "a:e1") { dependents { path source target { id version { number } } } } }': 2,
    '{ entry(id: "a:e1") { history(first: 3) { nodes { revision version { number author } } } } }': 3,
    '{ snapshot(at: {revision: 3}) { revision version { number } } }': 2,
    '{ tags { nodes { name version { number } } } }': 1,
  }

  it.each(Object.entries(READS))('of %s is at most %i', async (document, most) => {
    await gateway.data(document)
    const { count, texts } = await statements(() => gateway.data(document))
    expect(count, texts.join('\n\n')).toBeLessThanOrEqual(most)
  })

  // The log may be read before the answer of the write arrives. Only then is the version read, by one statement for all.
  it.each(['sse', 'ws'] as const)(
    'of changes reads no version that this gateway has made, over %s',
    async (transport) => {
      const stream = openStream(
        transport,
        gateway.endpoint,
        'subscription { changes(afterRevision: 1) { revision version { number author previous { number } } } }',
      )
      for (let revision = 2; revision <= 6; revision++)
        expect((await stream.next())!.data.changes.revision).toBe(revision)
      const followed = async (n: number) => {
        const made = await gateway.apply(create(`${transport}:e${n}`))
        for (;;) if ((await stream.next())!.data.changes.revision === made) return
      }
      let n = 0
      await expect
        .poll(async () => (await statementsOnce(() => followed(n++))).filter((text) => /from "version"/.test(text)))
        .toEqual([])
      stream.cut()
    },
  )

  it('is one for a version that many requests read at once', async () => {
    const other = await gateway.another()
    await gateway.apply(remove('a:e19'))
    const { currentVersion } = await gateway.data('{ currentVersion { number } }')
    const read = () => other.data(`{ version(number: ${currentVersion.number}) { number author } }`)
    const begun = counter.texts.length
    await Promise.all(Array.from({ length: 30 }, read))
    const reads = counter.texts.slice(begun).filter((text) => text.includes('from "version"'))
    expect(reads).toHaveLength(1)
    await other.close()
  })
})

function braced(selection: string): string {
  return selection === '' ? '' : `{ ${selection} }`
}
