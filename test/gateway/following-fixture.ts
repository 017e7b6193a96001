import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Batch, Folded } from './following-client.js'
import type { OpenStream } from './following-stream.js'

/** Sends one request to one gateway; null if there is no answer. */
export async function ask(endpoint: string, query: string, variables: object = {}): Promise<any> {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  }).catch(() => null)
  return response === null ? null : response.json().catch(() => null)
}

const APPLY = `mutation ($input: ApplyChangesetInput!) {
  applied: applyChangeset(input: $input) { ... on Applied { version { number } transition { revision } } ... on Refused { problems { code } } }
}`
const MOVE = `mutation ($input: ApplyVersionInput!) {
  applied: applyVersion(input: $input) { ... on Applied { version { number } transition { revision } } ... on Refused { problems { code } } }
}`

export interface Written {
  readonly revision: number
  readonly version: number
}

/** Retries with one idempotency key until there is an answer; null if it was refused or changed nothing. */
async function retried(endpoints: readonly string[], query: string, input: object): Promise<Written | null> {
  const idempotencyKey = Math.random().toString(36)
  for (;;) {
    const answer = await ask(endpoints[Math.floor(Math.random() * endpoints.length)]!, query, {
      input: { ...input, idempotencyKey },
    })
    const applied = answer?.data?.applied
    if (applied)
      return applied.transition ? { revision: applied.transition.revision, version: applied.version.number } : null
    const code = answer?.errors?.[0]?.extensions?.code
    if (answer && !['UNAVAILABLE', 'TIMEOUT', 'OUTCOME_UNKNOWN'].includes(code)) throw new Error(JSON.stringify(answer))
    await sleep(30)
  }
}

export const applyChangeset = (endpoints: readonly string[], operations: readonly object[]) =>
  retried(endpoints, APPLY, { operations })
export const applyVersion = (endpoints: readonly string[], version: number) => retried(endpoints, MOVE, { version })

/** Applies operations. @throws Error if they are refused */
export async function write(endpoint: string, ...operations: object[]): Promise<Written> {
  const written = await applyChangeset([endpoint], operations)
  if (written === null) throw new Error('The changeset was refused')
  return written
}

export const create = (id: string, meta: object = {}, data: unknown = null, kind = 'thing') => ({
  create: { id, kind, meta, data },
})
export const update = (id: string, meta: object = {}, data: unknown = null, kind = 'thing') => ({
  update: { id, kind, meta, data },
})
export const remove = (id: string) => ({ delete: { id } })

/** Reads the entries that match a filter at a revision: id to digest, like a folded stream. */
export async function foundAt(endpoint: string, revision: number, filter: object): Promise<Folded> {
  const found: Folded = new Map()
  for (let after: string | null = null; ; ) {
    const answer = await ask(
      endpoint,
      `query ($at: At, $find: JSONObject, $where: EntryFilter, $after: String) {
      snapshot(at: $at) { entries(find: $find, where: $where, first: 1000, after: $after) { nodes { entryId digest } pageInfo { hasNextPage endCursor } } }
    }`,
      { at: { revision }, after, ...filter },
    )
    const page = answer.data.snapshot.entries
    for (const { entryId, digest } of page.nodes) found.set(entryId, digest)
    if (!page.pageInfo.hasNextPage) return found
    after = page.pageInfo.endCursor
  }
}

/** Waits for the next batch. @throws Error if there is an error or the end instead */
export async function batchOf(stream: OpenStream, ms?: number): Promise<Batch> {
  const result = await stream.next(ms)
  if (result?.data === undefined || result.errors !== undefined) throw new Error(`No batch: ${JSON.stringify(result)}`)
  return result.data.changes as Batch
}

/** Reads up to the first batch with `synced: true`. */
export async function untilSynced(stream: OpenStream): Promise<Batch[]> {
  const batches: Batch[] = []
  while (batches.at(-1)?.synced !== true) batches.push(await batchOf(stream))
  return batches
}

/** Polls until a condition holds. @throws Error if it does not within `ms` */
export async function until(what: string, holds: () => boolean | Promise<boolean>, ms = 60_000): Promise<void> {
  for (const end = Date.now() + ms; !(await holds()); await sleep(25)) {
    if (Date.now() > end) throw new Error(`${what}: not within ${ms} ms`)
  }
}

/** Resident memory of a process, in bytes. */
export function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024
}

/** Reads a metric of a gateway. */
export async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}metrics`)).text()
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1] ?? NaN)
}
