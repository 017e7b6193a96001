import { forEachInSteps, type Steps } from '../../core/algorithms/steps.js'
import type { Transition } from '../../core/history/version.js'
import type { CommitRequest } from '../contract/history-writer.js'
import { type ChangeRow, entryOfRow } from './change-row.js'
import { transitionDigest } from './changeset-codec.js'
import type { BatchWrites, CommitState } from './commit-state.js'
import { storeReply } from './planned-outcome.js'

type Movement = Pick<Transition, 'kind' | 'from' | 'to' | 'changeCount'>

/** Adds one transition with its rows and reply to `writes`, advances `state` by it and returns it. */
export function* moveHead(
  request: CommitRequest,
  movement: Movement,
  rows: readonly ChangeRow[],
  state: CommitState,
  writes: BatchWrites,
): Steps<Transition> {
  const revision = state.head.revision + 1
  yield* forEachInSteps(rows, (row) => {
    writes.changes.push(row)
    state.lastChanged.set(row.id, revision)
    const entry = entryOfRow(row)
    if (entry === null) state.entries.delete(row.id)
    else state.entries.set(row.id, entry)
    if (entry === null || row.operation === 'replace') state.instances.end(row.id)
    state.entryCount += COUNT_BY[row.operation]
  })
  const { author, message } = request
  const transition: Transition = { revision, ...movement, author, message, createdAt: state.now }
  const digest = transitionDigest(state.transitionDigest, transition)
  writes.transitions.push({ ...transition, digest, entryCount: state.entryCount, requestId: request.id })
  state.transitionDigest = digest
  state.head = { revision, version: movement.to }
  storeReply(request, revision, movement.to, state, writes)
  return transition
}

const COUNT_BY = { create: 1, update: 0, delete: -1, replace: 0 } as const
