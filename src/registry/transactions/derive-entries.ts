import type { ProblemCode } from '../../core/errors/codes.js'
import type { Problem } from '../../core/errors/problem.js'
import type { Warning } from '../../core/errors/warning.js'
import type { Operation } from '../../core/ordering/operation.js'
import type { DerivedEntry } from '../../store/contract/derived-entries.js'
import { derivedOperation } from '../../store/contract/derived-entries.js'
import type { CommitOutcome, CommitRequest } from '../../store/contract/history-writer.js'
import { DeadlineExceeded, withinDeadline } from '../async/within-deadline.js'
import { stoppingError, type TransactionContext } from './transaction-context.js'

type Planned = Extract<CommitOutcome, { type: 'applied' }>

/** The derived entries of a planned changeset, with all of its operations. */
interface DerivedChange {
  readonly entries: readonly DerivedEntry[]
  readonly warnings: readonly Warning[]
  readonly delta: readonly Operation[]
}

/** Asks the deriver about a planned changeset. Its silence and its failure refuse the changeset. */
export async function deriveEntries(
  { delta }: Planned,
  { action }: CommitRequest,
  { deriver, stopping }: TransactionContext,
  /** Deadline of the transaction, by `performance.now()`. */
  until: number,
): Promise<DerivedChange | { readonly problems: readonly Problem[] }> {
  if (deriver === null) return { entries: [], warnings: [], delta }
  const problem = (code: ProblemCode, message: string): Problem => ({ code, message, participant: deriver.name })
  try {
    const derived = await withinDeadline(
      Math.max(0, until - performance.now()),
      (ending) => deriver.derive({ action: action.type, delta }, ending),
      { signal: stopping },
    )
    if ('problems' in derived) return derived
    return { ...derived, delta: [...delta, ...derived.entries.flatMap(derivedOperation)] }
  } catch (error) {
    if (stopping.aborted) throw stoppingError()
    if (error instanceof DeadlineExceeded) {
      const message = `${deriver.name} did not decide on the changeset within the time of the transaction. Try again.`
      return { problems: [problem('PARTICIPANT_TIMEOUT', message)] }
    }
    const why = String((error as Error | undefined)?.message ?? error)
    return { problems: [problem('PARTICIPANT_FAILED', `${deriver.name} could not decide on the changeset: ${why}`)] }
  }
}
