import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { pino } from 'pino'
import WebSocket from 'ws'
import { type GatewayConfig, loadConfig } from '../../src/server/config/config.js'
import { type Gateway, type StartGatewayOptions, startGateway } from '../../src/server/gateway.js'

/** Returns the memory of the process after garbage collection. Buffers are freed some time after a collection. */
async function heldBytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    collectGarbage()
    await sleep(60)
  }
  const { external, heapUsed } = process.memoryUsage()
  return external + heapUsed
}

/** Returns by how much the memory of the process has grown. */
export async function growth(work: () => Promise<void>): Promise<number> {
  const before = await heldBytes()
  await work()
  return (await heldBytes()) - before
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

export interface TestGateway extends Gateway {
  /** Log lines so far. */
  readonly logged: Record<string, unknown>[]
  readonly folder: string
}

/** Starts a gateway on a free port, by default over the memory store. */
export async function testGateway(
  options: StartGatewayOptions = {},
  config: Partial<GatewayConfig> = {},
  environment: Record<string, string> = {},
): Promise<TestGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'cadastre-'))
  const logged: Record<string, unknown>[] = []
  const lines = new PassThrough()
  lines.on('data', (line: Buffer) => logged.push(JSON.parse(line.toString()) as Record<string, unknown>))
  const loaded = loadConfig({ CADASTRE_STORE: 'memory', PORT: '0', ...environment }, folder)
  const gateway = await startGateway(
    { ...loaded, ...config },
    { log: pino({ level: 'info' }, lines), playgroundDir: join(folder, 'page'), ...options },
  )
  return {
    ...gateway,
    logged,
    folder,
    close: async () => {
      await gateway.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Address of a gateway. */
export type Reachable = Pick<Gateway, 'endpoint'>

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: {
    data?: Record<string, any> | null
    errors?: { message: string; path?: unknown[]; extensions: Record<string, any> }[]
  }
}

export async function post(
  gateway: Reachable,
  query: string,
  variables: object = {},
  headers: Record<string, string> = {},
): Promise<Answer> {
  return postBody(gateway, JSON.stringify({ query, variables }), headers)
}

export async function postBody(
  gateway: Reachable,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(gateway.endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: body as BodyInit,
  })
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] }
}

export const APPLY = `mutation ($input: ApplyChangesetInput!) {
  applyChangeset(input: $input) {
    __typename
    ... on Applied { version { number author } transition { revision } }
    ... on Refused { message problems { code operation entryId } }
  }
}`

/** Creates entries and returns the revision. */
export async function createEntries(gateway: Reachable, entries: Record<string, unknown>): Promise<number> {
  const operations = Object.entries(entries).map(([id, data]) => ({ create: { id, kind: 'test.thing', data } }))
  const { body } = await post(gateway, APPLY, { input: { operations } })
  if (body.data?.['applyChangeset'].__typename !== 'Applied') throw new Error(JSON.stringify(body))
  return body.data!['applyChangeset'].transition.revision as number
}

/** Creates entries of 200 kB, one by one, and returns their revisions. */
export async function writeLarge(gateway: Reachable, ns: string, count: number): Promise<number[]> {
  const revisions: number[] = []
  for (let i = 0; i < count; i++)
    revisions.push(await createEntries(gateway, { [`${ns}:${i}`]: `${i} ${'x'.repeat(200_000)}` }))
  return revisions
}

export const FOLLOW =
  'subscription ($after: String, $initial: Boolean) { changes(after: $after, initial: $initial) { cursor revision synced complete changes { kind entryId } } }'

/** A graphql-transport-ws client that shows every message. */
export class SocketClient {
  readonly messages: any[] = []
  readonly socket: WebSocket
  readonly closed: Promise<{ code: number; reason: string }>
  #isClosed = false
  #wake: () => void = () => undefined

  constructor(endpoint: string, protocols: string[] = ['graphql-transport-ws'], options: WebSocket.ClientOptions = {}) {
    this.socket = new WebSocket(endpoint.replace('http', 'ws'), protocols, options)
    this.socket.on('error', () => undefined)
    this.socket.on('message', (data: Buffer) => {
      this.messages.push(JSON.parse(data.toString()))
      this.#wake()
    })
    this.closed = new Promise((resolve) =>
      this.socket.on('close', (code, reason) => {
        resolve({ code, reason: reason.toString() })
        this.#isClosed = true
        this.#wake()
      }),
    )
  }

  async open(): Promise<this> {
    if (this.socket.readyState === WebSocket.OPEN) return this
    await new Promise((resolve, reject) => {
      this.socket.once('open', resolve)
      this.socket.once('error', reject)
    })
    return this
  }

  async init(payload?: object): Promise<this> {
    await this.open()
    this.send({ type: 'connection_init', ...(payload && { payload }) })
    await this.next(({ type }) => type === 'connection_ack')
    return this
  }

  send(message: object): void {
    this.socket.send(JSON.stringify(message))
  }

  subscribe(id: string, query: string, variables: object = {}): void {
    this.send({ id, type: 'subscribe', payload: { query, variables } })
  }

  /**
   * Returns the first unread message that is wanted, and drops those before it.
   * @throws {Error} if the socket closes first, or the time has passed
   */
  async next(wanted: (message: any) => boolean = () => true, ms = 60_000): Promise<any> {
    const until = Date.now() + ms
    for (;;) {
      while (this.messages.length > 0) {
        const message = this.messages.shift()
        if (wanted(message)) return message
      }
      if (this.#isClosed) throw new Error('the socket was closed before the message came')
      const left = until - Date.now()
      if (left <= 0) throw new Error('the message did not come in time')
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  close(): void {
    this.socket.terminate()
  }
}
