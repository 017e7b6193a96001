import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { describe, expect, it } from 'vitest'
import { gatewayProcesses } from '../../process/gateway-process.js'
import { createTestDatabase, startTestPostgres } from '../../support/test-postgres.js'
import { post, type Reachable, SocketClient, testGateway } from '../server-fixture.js'

const CHANGES = `subscription ($after: String, $initial: Boolean, $find: JSONObject) {
  changes(after: $after, initial: $initial, find: $find) { cursor revision complete synced changes { kind entryId entry { digest } } }
}`
const WRITE = `mutation ($input: ApplyChangesetInput!) {
  applyChangeset(input: $input) { ... on Applied { replayed transition { revision } } ... on Refused { problems { code } } }
}`
const ENTRIES =
  'query ($after: String, $find: JSONObject) { entries(first: 1000, after: $after, find: $find) { nodes { entryId digest } } }'

/** Follows over any gateway, is cut off at random and resumes with its cursor. Stores the folded stream. */
class Follower {
  readonly state = new Map<string, string>()
  readonly faults: string[] = []
  revision = -1
  cuts = 0
  #cursor: string | null = null
  #socket: SocketClient | null = null
  #ended = false
  readonly done: Promise<void>

  constructor(
    private readonly gateways: () => readonly Reachable[],
    private readonly find: object | null,
  ) {
    this.done = this.#run()
  }

  cut(): void {
    this.cuts += 1
    this.#socket?.close()
  }

  /** Whether that revision or a later one was received completely. Its first batch may be only a part. */
  hasSeen(revision: number): boolean {
    return this.#complete && this.revision >= revision
  }

  end(): void {
    this.#ended = true
    this.#socket?.close()
  }

  async #run(): Promise<void> {
    while (!this.#ended) {
      const all = this.gateways()
      const socket = (this.#socket = new SocketClient(all[Math.floor(Math.random() * all.length)]!.endpoint))
      try {
        await socket.init()
        socket.subscribe('c', CHANGES, { after: this.#cursor, initial: true, find: this.find })
        for (;;) {
          const message = await Promise.race([socket.next(undefined, 60_000), socket.closed.then(() => null)])
          if (message === null) break
          if (message.type !== 'next' || message.payload.errors) {
            // The store may be away just when a stream begins.
            const [error] = message.payload?.errors ?? message.payload ?? []
            if (!['UNAVAILABLE', 'TIMEOUT'].includes(error?.extensions?.code)) this.faults.push(JSON.stringify(message))
            break
          }
          this.#take(message.payload.data.changes)
        }
      } catch {
        // The gateway is not there just now.
      }
      socket.close()
      await sleep(20)
    }
  }

  #take(batch: any): void {
    const initial = this.#cursor === null || this.revision === -1
    if (batch.revision < this.revision) this.faults.push(`revision ${batch.revision} after ${this.revision}`)
    if (
      !initial &&
      this.find === null &&
      this.#complete &&
      batch.changes.length > 0 &&
      batch.revision !== this.revision + 1
    ) {
      this.faults.push(`revision ${batch.revision} right after ${this.revision}`)
    }
    for (const { kind, entryId, entry } of batch.changes) {
      if ((kind === 'CREATE') === this.state.has(entryId))
        this.faults.push(`${kind} of ${entryId} at ${batch.revision}`)
      if (entry === null) this.state.delete(entryId)
      else this.state.set(entryId, entry.digest)
    }
    this.#cursor = batch.cursor
    this.revision = batch.revision
    this.#complete = batch.complete
  }

  #complete = false
}

async function entriesOf(gateway: Reachable, find: object | null): Promise<Map<string, string>> {
  const { body } = await post(gateway, ENTRIES, { find })
  return new Map(body.data!['entries'].nodes.map(({ entryId, digest }: any) => [entryId, digest]))
}

async function until(holds: () => boolean | Promise<boolean>, ms: number, what: string): Promise<void> {
  for (const end = Date.now() + ms; !(await holds()); await sleep(30)) {
    if (Date.now() > end) throw new Error(`timed out waiting until ${what}`)
  }
}

/** Random writes to a hundred ids; each is sent again with its key until it has an answer. The revisions acknowledged. */
async function write(
  gateways: () => readonly Reachable[],
  name: string,
  count: number,
  acknowledged: Map<number, string>,
): Promise<void> {
  for (let i = 0; i < count; i++) {
    const id = `n:${Math.floor(Math.random() * 60)}`
    const content = { id, kind: 'k', meta: { odd: i % 2 === 1 }, data: `${name} ${i}` }
    const operations = [
      { create: { ...content, id: `${name}:${i}` } },
      [{ create: content }, { update: content }, { delete: { id } }][Math.floor(Math.random() * 3)]!,
    ]
    // The second operation may be refused because of the current entries. Then the first is sent alone.
    for (const [attempt, sent] of [operations, operations.slice(0, 1)].entries()) {
      const outcome = await settled(gateways, { operations: sent, idempotencyKey: `${name}-${i}-${attempt}` })
      if (outcome.transition === undefined) continue
      acknowledged.set(outcome.transition.revision, `${name}:${i}`)
      break
    }
  }
}

async function settled(gateways: () => readonly Reachable[], input: object): Promise<any> {
  for (;;) {
    const all = gateways()
    const answer = await post(all[Math.floor(Math.random() * all.length)]!, WRITE, { input }).catch(() => null)
    const outcome = answer?.body.data?.['applyChangeset']
    if (outcome !== undefined && outcome !== null) return outcome
    const code = answer?.body.errors?.[0]?.extensions['code']
    if (answer !== null && !['UNAVAILABLE', 'TIMEOUT', 'OUTCOME_UNKNOWN'].includes(code))
      throw new Error(JSON.stringify(answer.body))
    await sleep(50)
  }
}

describe('following through cut connections', () => {
  it('misses and repeats nothing on two gateways while sockets, gateways and LISTEN are cut repeatedly', async () => {
    const database = await createTestDatabase()
    const start = () => testGateway({}, {}, { CADASTRE_STORE: 'postgres', DATABASE_URL: database.url })
    const gateways = [await start(), await start()]
    const live = () => gateways
    const odd = { odd: true }
    const followers = [null, null, odd, { '.ns': 'n' }].map((find) => new Follower(live, find))
    const sql = postgres(database.url, { max: 1, onnotice: () => undefined })
    let writing = true
    const cutting = (async () => {
      for (let i = 0; writing; i++) {
        await sleep(40)
        followers[i % followers.length]!.cut()
        await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'listen%' AND pid <> pg_backend_pid()`
        if (i % 12 === 11) {
          const [old] = gateways.splice(0, 1, await start())
          await old!.close()
        }
      }
    })()
    const acknowledged = new Map<number, string>()
    await Promise.all([0, 1, 2].map((writer) => write(live, `w${writer}`, 60, acknowledged)))
    writing = false
    await cutting
    const last = Math.max(...acknowledged.keys())
    await until(() => followers.every((follower) => follower.hasSeen(last)), 60_000, 'all have caught up')
    for (const follower of followers) follower.end()
    await Promise.all(followers.map(({ done }) => done))

    expect(followers.flatMap(({ faults }) => faults)).toEqual([])
    expect(followers.every(({ cuts }) => cuts > 0)).toBe(true)
    expect(acknowledged.size).toBe(180)
    for (const [i, find] of [null, null, odd, { '.ns': 'n' }].entries()) {
      expect(followers[i]!.state).toEqual(await entriesOf(gateways[0]!, find))
    }
    await sql.end()
    for (const gateway of gateways) await gateway.close()
    await database.drop()
  })

  it('survives a Postgres killed with -9 under load: every call settles, nothing acknowledged is lost, no gap', async () => {
    const server = await startTestPostgres()
    const processes = await gatewayProcesses()
    const gateway = await processes.start({ CADASTRE_STORE: 'postgres', DATABASE_URL: server.url })
    const live = () => [gateway]
    const followers = [null, { odd: true }].map((find) => new Follower(live, find))
    const acknowledged = new Map<number, string>()
    const writing = Promise.all([0, 1, 2, 3].map((writer) => write(live, `w${writer}`, 40, acknowledged)))
    for (let round = 0; round < 2; round++) {
      await until(() => acknowledged.size > 30 * (round + 1), 60_000, 'writes continue')
      server.kill9()
      await sleep(300)
      expect((await fetch(`${gateway.url}readyz`)).status).toBe(503)
      expect((await fetch(`${gateway.url}healthz`)).status).toBe(200)
      await server.start()
      await until(async () => (await fetch(`${gateway.url}readyz`)).status === 200, 60_000, 'ready again')
    }
    await writing
    const last = Math.max(...acknowledged.keys())
    await until(() => followers.every((follower) => follower.hasSeen(last)), 60_000, 'all have caught up')
    for (const follower of followers) follower.end()
    await Promise.all(followers.map(({ done }) => done))

    expect(followers.flatMap(({ faults }) => faults)).toEqual([])
    const entries = await entriesOf(gateway, null)
    expect([...acknowledged.values()].filter((id) => !entries.has(id))).toEqual([])
    expect(acknowledged.size).toBe(160)
    expect(followers[0]!.state).toEqual(entries)
    expect(followers[1]!.state).toEqual(await entriesOf(gateway, { odd: true }))
    expect(gateway.said.err.split('\n').filter((line) => /"level":[56]0/.test(line))).toEqual([])
    gateway.child.kill('SIGTERM')
    expect(await gateway.exited).toBe(0)
    await processes.remove()
    await server.remove()
  }, 180_000)
})
