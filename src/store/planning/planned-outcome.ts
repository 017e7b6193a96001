import type { Steps } from '../../core/algorithms/steps.js'
import type { Change } from '../../core/history/change.js'
import type { Head } from '../../core/history/version.js'
import type { Operation } from '../../core/ordering/operation.js'
import type { CommitOutcome, CommitRequest, Idempotency, MadeByWrite } from '../contract/history-writer.js'
import { type BatchWrites, type CommitState, type Reply, replyKey } from './commit-state.js'

/** An outcome, or a stored reply whose outcome has to be read from the log. */
export type PlannedOutcome = CommitOutcome | { readonly type: 'replay'; readonly reply: Reply }

export function appliedOutcome(
  head: Head,
  revision: number | null,
  delta: readonly Operation[],
  dryRun: boolean,
  made?: MadeByWrite,
): CommitOutcome {
  return { type: 'applied', head, revision, delta, dryRun, replayed: false, ...(made !== undefined && { made }) }
}

/**
 * Builds the outcome of a stored reply from the log.
 * @param changes - The reply's changes; null if they have been compacted
 * @param headRevision - The revision to report if the reply has none because nothing changed
 */
export function replayedOutcome(
  { revision, version }: Reply,
  changes: readonly Change[] | null,
  headRevision: number,
): CommitOutcome {
  const delta = (changes ?? []).map(({ kind, id, entry, previous }) => ({
    kind,
    id,
    content: entry?.content ?? null,
    original: previous?.content ?? null,
  }))
  return {
    type: 'applied',
    head: { revision: revision ?? headRevision, version },
    revision,
    delta,
    dryRun: false,
    replayed: true,
    ...(changes === null && { compacted: true as const }),
  }
}

/** The outcome under the request's idempotency key; null if the key is new or there is none. */
export function* planReply(request: CommitRequest, state: CommitState): Steps<PlannedOutcome | null> {
  if (request.idempotency === null) return null
  const { idempotency } = request
  const { key } = idempotency
  const reply = state.replies.get(replyKey(request.author, key))
  if (reply === undefined) return null
  if (yield* isSameRequest(reply.digest, idempotency)) return { type: 'replay', reply }
  const message = `The idempotency key "${key}" was used before for another request. A new request needs a new key.`
  return { type: 'refused', problems: [{ code: 'IDEMPOTENCY_KEY_REUSED', message }] }
}

/** A stored digest without a version is one of an earlier release. */
function* isSameRequest(stored: string, { digest, isEarlierDigest }: Idempotency): Steps<boolean> {
  if (stored === digest) return true
  return !stored.includes(':') && isEarlierDigest !== undefined && (yield* isEarlierDigest(stored))
}

/** Stores the request's reply under its idempotency key, if it has one. */
export function storeReply(
  request: CommitRequest,
  revision: number | null,
  version: number,
  state: CommitState,
  writes: BatchWrites,
): void {
  if (request.idempotency === null) return
  const { key, digest } = request.idempotency
  const reply: Reply = { author: request.author ?? '', key, digest, revision, version }
  state.replies.set(replyKey(request.author, key), reply)
  writes.replies.push(reply)
}
