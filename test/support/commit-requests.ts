import { randomUUID } from 'node:crypto'
import { runAtOnce } from '../../src/core/algorithms/steps.js'
import { compileDependencyPatterns } from '../../src/core/dependency/compile-dependency-patterns.js'
import { DEFAULT_DEPENDENCY_PATTERNS } from '../../src/core/dependency/default-dependency-patterns.js'
import type { SealedContent } from '../../src/core/entry/entry.js'
import { parseEntryId } from '../../src/core/entry/entry-id.js'
import { sealContent } from '../../src/core/entry/seal-content.js'
import type { SubmittedOperation } from '../../src/core/ordering/operation.js'
import type { History, HistoryOptions } from '../../src/store/contract/history.js'
import type { ChangesetAction, CommitOutcome, CommitRequest } from '../../src/store/contract/history-writer.js'
import { compileRegex } from '../../src/store/planning/compile-regex.js'
import { sha256 } from '../../src/store/planning/sha256.js'

export const historyOptions: HistoryOptions = {
  references: compileDependencyPatterns(DEFAULT_DEPENDENCY_PATTERNS),
  referencesFingerprint: 'default',
  compileRegex,
  readTimeoutMs: 10_000,
  commitTimeoutMs: 20_000,
}

export function seal(kind: string, meta: unknown = {}, data: unknown = null): SealedContent {
  const sealed = runAtOnce(sealContent({ kind, meta, data }, { sha256, maxDepth: 1_000, maxEntryBytes: 1 << 20 }))
  if ('faults' in sealed) throw new Error(sealed.faults.map(({ message }) => message).join('; '))
  return sealed.content
}

type Sent = Omit<SubmittedOperation, 'index'>

export const create = (id: string, kind = 'thing', meta: unknown = {}, data: unknown = null): Sent => ({
  kind: 'CREATE',
  id: parseEntryId(id),
  content: seal(kind, meta, data),
  ifRevision: null,
})
export const update = (
  id: string,
  kind = 'thing',
  meta: unknown = {},
  data: unknown = null,
  ifRevision: number | null = null,
): Sent => ({ kind: 'UPDATE', id: parseEntryId(id), content: seal(kind, meta, data), ifRevision })
export const remove = (id: string, ifRevision: number | null = null): Sent => ({
  kind: 'DELETE',
  id: parseEntryId(id),
  content: null,
  ifRevision,
})

export function changeset(
  operations: readonly Sent[],
  rest: Partial<CommitRequest> & Partial<Pick<ChangesetAction, 'base' | 'problems'>> = {},
): CommitRequest {
  const { base = null, problems = [], ...request } = rest
  return {
    id: randomUUID(),
    author: null,
    message: null,
    idempotency: null,
    expectedHead: null,
    dryRun: false,
    action: {
      type: 'changeset',
      operations: operations.map((operation, index) => ({ ...operation, index })),
      base,
      problems,
    },
    ...request,
  }
}

export function versionMove(version: number, rest: Partial<CommitRequest> = {}): CommitRequest {
  return {
    id: randomUUID(),
    author: null,
    message: null,
    idempotency: null,
    expectedHead: null,
    dryRun: false,
    action: { type: 'version', version },
    ...rest,
  }
}

export function revertOf(version: number, rest: Partial<CommitRequest> = {}): CommitRequest {
  return { ...versionMove(version, rest), action: { type: 'revert', version } }
}

export async function commitOne(history: History, request: CommitRequest): Promise<CommitOutcome> {
  const [outcome] = await commitAll(history, [request])
  return outcome!
}

/** Commits a batch. @throws RegistryError of the first request that failed */
export async function commitAll(history: History, requests: readonly CommitRequest[]): Promise<CommitOutcome[]> {
  return (await history.commit(requests)).map((answer) => {
    if (answer.type === 'failed') throw answer.error
    return answer
  })
}

/** Applies a changeset. @throws Error if it is refused */
export async function apply(
  history: History,
  ...operations: Sent[]
): Promise<Extract<CommitOutcome, { type: 'applied' }>> {
  return expectApplied(await commitOne(history, changeset(operations)))
}

export function expectApplied(outcome: CommitOutcome): Extract<CommitOutcome, { type: 'applied' }> {
  if (outcome.type !== 'applied')
    throw new Error(`refused: ${outcome.problems.map(({ code, message }) => `${code} ${message}`).join('; ')}`)
  return outcome
}

export function problemCodes(outcome: CommitOutcome): string[] {
  return outcome.type === 'refused' ? outcome.problems.map(({ code }) => code) : []
}
