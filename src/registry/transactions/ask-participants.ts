import type { ProblemCode } from '../../core/errors/codes.js'
import type { Problem } from '../../core/errors/problem.js'
import type { BusEvent } from '../../core/events/bus-event.js'
import type { Operation } from '../../core/ordering/operation.js'
import { DeadlineExceeded, withinDeadline } from '../async/within-deadline.js'
import {
  LONGEST_REASON,
  type OnFailure,
  type Participant,
  type ParticipantAnswer,
} from '../participants/participant.js'
import { entryEvent, operationProposal } from './proposals.js'

/** One operation to offer to participants. */
export interface Question {
  readonly transaction: string
  readonly operation: Operation
  /** Index of the operation in the transaction. */
  readonly index: number
  readonly participants: readonly Participant[]
  /** Longest time that a participant has for one answer, in milliseconds. */
  readonly operationMs: number
  /** Deadline of the transaction, by `performance.now()`. */
  readonly until: number
  publish(event: BusEvent): void
  /** Resolves when a participant can be asked: what it was notified of before comes first. */
  ready(participant: Participant): Promise<void>
  readonly signal: AbortSignal
}

/** Result of one offer to all participants. */
export interface Answers {
  /** Names of the participants that accepted. */
  readonly accepted: readonly string[]
  readonly problems: readonly Problem[]
}

/** Offers an operation to all participants at the same time and waits until each has answered, failed or reached its deadline. */
export async function askParticipants(question: Question): Promise<Answers> {
  const accepted: string[] = []
  const problems = await Promise.all(
    question.participants.map(async (participant) => {
      const answer = await ask(participant, question)
      if ('accept' in answer && answer.accept) accepted.push(participant.name)
      publishAnswer(participant, question, answer)
      return problemOf(participant, question.operation, answer)
    }),
  )
  return { accepted, problems: problems.filter((problem) => problem !== null) }
}

type Outcome =
  | ParticipantAnswer
  | {
      readonly failed: 'PARTICIPANT_TIMEOUT' | 'PARTICIPANT_FAILED'
      readonly why: string
      readonly onFailure: OnFailure
    }

async function ask(
  participant: Participant,
  { transaction, operation, operationMs, until, ready, signal }: Question,
): Promise<Outcome> {
  const ms = Math.max(0, Math.min(participant.timeoutMs, operationMs, until - performance.now()))
  const proposal = operationProposal(transaction, operation, new Date(Date.now() + ms))
  const { onFailure } = participant
  try {
    const answer = await withinDeadline(
      ms,
      async (ending) => {
        await ready(participant)
        ending.throwIfAborted()
        return participant.offer(proposal, ending)
      },
      { signal },
    )
    if (answer.accept) return answer
    return { accept: false, reason: answer.reason?.slice(0, LONGEST_REASON) ?? null }
  } catch (error) {
    if (error instanceof DeadlineExceeded)
      return { failed: 'PARTICIPANT_TIMEOUT', why: `it did not answer within ${shownSeconds(ms)}`, onFailure }
    return {
      failed: 'PARTICIPANT_FAILED',
      why: String((error as Error | undefined)?.message ?? error).slice(0, LONGEST_REASON),
      onFailure,
    }
  }
}

function problemOf({ name }: Participant, { id }: Operation, answer: Outcome): Problem | null {
  const problem = (code: ProblemCode, message: string): Problem => ({ code, message, entryId: id, participant: name })
  if ('accept' in answer) {
    if (answer.accept) return null
    return problem(
      'REJECTED',
      `The participant "${name}" rejects ${id}${answer.reason === null ? '' : `: ${answer.reason}`}`,
    )
  }
  if (answer.onFailure === 'pass') return null
  const what = answer.failed === 'PARTICIPANT_TIMEOUT' ? 'did not answer about' : 'failed when it was asked about'
  return problem(answer.failed, `The participant "${name}" ${what} ${id}: ${answer.why}. Repair it, or try again.`)
}

function publishAnswer(participant: Participant, { transaction, operation, publish }: Question, answer: Outcome): void {
  if ('accept' in answer && answer.accept) {
    publish(entryEvent(transaction, operation, { kind: 'entry.accept', participant: participant.name, reason: null }))
  } else if ('accept' in answer || answer.onFailure === 'refuse') {
    const reason = 'accept' in answer ? (answer.accept ? null : answer.reason) : answer.why
    publish(entryEvent(transaction, operation, { kind: 'entry.reject', participant: participant.name, reason }))
  }
}

function shownSeconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} seconds`
}
