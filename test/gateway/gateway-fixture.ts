import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../../src/server/config/config.js'
import { type Gateway, startGateway } from '../../src/server/gateway.js'
import { createLog } from '../../src/server/observing/log.js'
import { createTestDatabase } from '../support/test-postgres.js'

/** Backends with history. The specification applies to all of them alike. */
export const BACKENDS_WITH_HISTORY = ['postgres', 'memory'] as const
export type TestBackend = (typeof BACKENDS_WITH_HISTORY)[number] | 'none'

export interface Answer {
  readonly status: number
  /** The response body, byte for byte. */
  readonly text: string
  readonly data: any
  readonly errors: readonly { message: string; path?: (string | number)[]; extensions: Record<string, any> }[]
}

/** A client of one gateway. */
export interface Client {
  query(document: string, variables?: Record<string, unknown>, headers?: Record<string, string>): Promise<Answer>
  /** Like `query`, with the request body as given. */
  send(body: string, headers?: Record<string, string>): Promise<Answer>
  /** Returns the data. @throws Error if there are errors */
  data(document: string, variables?: Record<string, unknown>, headers?: Record<string, string>): Promise<any>
  /** Returns the code of the first error. @throws Error if there is none */
  code(document: string, variables?: Record<string, unknown>): Promise<string>
  applyChangeset(input: object, headers?: Record<string, string>): Promise<any>
  /** Applies operations and returns the revision that they made. @throws Error if they are refused */
  apply(...operations: object[]): Promise<number>
  /** Returns the problems of a refusal as `CODE@index`. @throws Error if it was applied */
  refused(input: object, headers?: Record<string, string>): Promise<string[]>
  applyVersion(input: object, headers?: Record<string, string>): Promise<any>
  /** Moves the head and returns the revision that it made, null for none. @throws Error if it is refused */
  moveTo(version: number): Promise<number | null>
}

export interface TestGateway extends Client {
  readonly endpoint: string
  /** Null for memory. */
  readonly databaseUrl: string | null
  /** Starts another gateway on the same database. */
  another(): Promise<Client & { close(): Promise<void> }>
  close(): Promise<void>
}

const RESULT = `__typename
  ... on Applied {
    version { number author message } transition { revision kind from { number } to { number } }
    changes { kind entryId entry { id revision version { number } data } previous { id revision data } }
    delta { created updated deleted operations { kind entryId entry { kind meta data } original { kind meta data } } }
    dryRun replayed
  }
  ... on Refused { message problems { code message entryId operation participant current { id revision kind data } } }`

/**
 * Starts a real gateway on a free port with an empty store.
 * @param yaml - The text of its configuration file
 * @param throughProxy - Returns another URL for the database
 */
export async function startTestGateway(
  backend: TestBackend,
  yaml?: string,
  throughProxy: (databaseUrl: string) => Promise<string> = async (url) => url,
): Promise<TestGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'cadastre-'))
  if (yaml !== undefined) writeFileSync(join(folder, 'cadastre.yaml'), yaml)
  const database = backend === 'postgres' ? await createTestDatabase() : null
  const config = loadConfig(
    {
      CADASTRE_STORE: backend,
      PORT: '0',
      CADASTRE_LOG_LEVEL: 'silent',
      ...(database !== null && { DATABASE_URL: await throughProxy(database.url) }),
    },
    folder,
  )
  const open: Gateway[] = []
  const start = async () => {
    const gateway = await startGateway(config, { log: createLog('silent'), playgroundDir: join(folder, 'page') })
    open.push(gateway)
    return gateway
  }
  const gateway = await start()
  return {
    ...clientOf(gateway.endpoint),
    endpoint: gateway.endpoint,
    databaseUrl: database?.url ?? null,
    async another() {
      const other = await start()
      return { ...clientOf(other.endpoint), close: () => other.close() }
    },
    async close() {
      for (const each of open) await each.close()
      await database?.drop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export function clientOf(endpoint: string): Client {
  const client: Client = {
    async send(body, headers = {}) {
      const response = await fetch(endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body,
      })
      const text = await response.text()
      const { data = null, errors = [] } = JSON.parse(text) as Partial<Answer>
      return { status: response.status, text, data, errors }
    },
    query: (query, variables = {}, headers = {}) => client.send(JSON.stringify({ query, variables }), headers),
    async data(document, variables, headers) {
      const { data, errors } = await client.query(document, variables, headers)
      if (errors.length > 0) throw new Error(JSON.stringify(errors))
      return data
    },
    async code(document, variables) {
      const { errors, text } = await client.query(document, variables)
      if (errors.length === 0) throw new Error(`No error in ${text}`)
      return String(errors[0]!.extensions['code'])
    },
    async applyChangeset(input, headers) {
      return (
        await client.data(
          `mutation ($input: ApplyChangesetInput!) { applyChangeset(input: $input) { ${RESULT} } }`,
          { input },
          headers,
        )
      ).applyChangeset
    },
    async applyVersion(input, headers) {
      return (
        await client.data(
          `mutation ($input: ApplyVersionInput!) { applyVersion(input: $input) { ${RESULT} } }`,
          { input },
          headers,
        )
      ).applyVersion
    },
    async apply(...operations) {
      return applied(await client.applyChangeset({ operations })).transition.revision
    },
    async refused(input, headers) {
      return codesOf(await client.applyChangeset(input, headers))
    },
    async moveTo(version) {
      return applied(await client.applyVersion({ version })).transition?.revision ?? null
    },
  }
  return client
}

export function applied(result: any): any {
  if (result.__typename !== 'Applied') throw new Error(JSON.stringify(result.problems))
  return result
}

export function codesOf(result: any): string[] {
  if (result.__typename !== 'Refused') throw new Error('It was applied')
  return result.problems.map(({ code, operation }: any) => (operation === null ? code : `${code}@${operation}`))
}

export const create = (id: unknown, data?: unknown, meta?: unknown, kind = 'test.thing') => ({
  create: { id, kind, meta, data },
})
export const update = (id: unknown, data?: unknown, meta?: unknown, kind = 'test.thing') => ({
  update: { id, kind, meta, data },
})
export const remove = (id: unknown, more: object = {}) => ({ delete: { id, ...more } })
