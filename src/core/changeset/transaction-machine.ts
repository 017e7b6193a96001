import type { Problem } from '../errors/problem.js'

/*
 * The life of a transaction with participants, as a pure state machine.
 *
 *   PLANNING ──▶ OPENING ──▶ OFFERING ──▶ COMMITTING ──▶ COMMITTED
 *      ▲  │          │        │  ▲ │          │
 *      │  │          │        └──┘ │          │ an original has changed, or the store refuses
 *      │  ▼          ▼             ▼          ▼
 *      │ UNANNOUNCED └─────────▶ UNDOING ◀────┘
 *      └─── offered again ──────────┴──▶ DISCARDED
 *
 * UNANNOUNCED: no participant was notified of it. HANDED_OVER: another gateway ends it, or its outcome is not known yet.
 */

export const TRANSACTION_STATES = [
  'PLANNING',
  'OPENING',
  'OFFERING',
  'COMMITTING',
  'UNDOING',
  'COMMITTED',
  'DISCARDED',
  'UNANNOUNCED',
  'HANDED_OVER',
] as const
export type TransactionStateName = (typeof TRANSACTION_STATES)[number]

export interface TransactionState {
  readonly name: TransactionStateName
  readonly dryRun: boolean
  /** The number of this attempt, from 1. */
  readonly attempt: number
  /** The first operation with a participant to ask; null if there is none. */
  readonly first: number | null
  /** The rejections and failures of participants. */
  readonly problems: readonly Problem[]
  /** Why it ends without a commit. */
  readonly reason: string | null
  /** In the state UNDOING: whether it is offered again afterwards. */
  readonly retry: boolean
}

export type TransactionStepName = TransactionStep['type']

/** The input of the machine: something that has happened. */
export type TransactionStep =
  /** The store has planned the operations. */
  | { readonly type: 'planned'; readonly first: number | null }
  /** The journal has recorded it and all its participants were notified that it begins. */
  | { readonly type: 'opened' }
  /** All participants asked about one operation have answered or timed out. */
  | { readonly type: 'answered'; readonly problems: readonly Problem[]; readonly next: number | null }
  | { readonly type: 'committed' }
  /** The store refuses it, whatever the participants say. */
  | { readonly type: 'refused'; readonly reason: string }
  /** An offered original has changed since. */
  | { readonly type: 'moved'; readonly reason: string }
  /** Another gateway has claimed it. */
  | { readonly type: 'claimed' }
  /** An error occurred and nothing was committed. */
  | { readonly type: 'failed'; readonly reason: string }
  /** The commit was sent and its outcome is not known. */
  | { readonly type: 'outcomeUnknown' }
  /** The participants that had accepted were notified of the inverse operations. */
  | { readonly type: 'undone' }

export const TRANSACTION_STEPS = [
  'planned',
  'opened',
  'answered',
  'committed',
  'refused',
  'moved',
  'claimed',
  'failed',
  'outcomeUnknown',
  'undone',
] as const satisfies readonly TransactionStepName[]

/** An action for the caller. Each effect but the last leads to the next step. */
export type TransactionEffect =
  | { readonly type: 'plan' }
  | { readonly type: 'open' }
  | { readonly type: 'offer'; readonly operation: number }
  | { readonly type: 'commit' }
  /** Send the inverse operations, in reverse order, to the participants that had accepted. */
  | { readonly type: 'undo' }
  | { readonly type: 'notifyCommit' }
  | { readonly type: 'notifyDiscard'; readonly reason: string }

export interface StepResult {
  readonly state: TransactionState
  readonly effects: readonly TransactionEffect[]
}

/** @bound Attempts for one changeset whose originals keep changing. After the last one it is refused with CONFLICT. */
export const MAX_ATTEMPTS = 5
export const DRY_RUN_REASON = 'dry run'

/** The initial state of a transaction. */
export function beginTransaction(dryRun: boolean): StepResult {
  const state: TransactionState = {
    name: 'PLANNING',
    dryRun,
    attempt: 1,
    first: null,
    problems: [],
    reason: null,
    retry: false,
  }
  return { state, effects: [{ type: 'plan' }] }
}

/** Advances a transaction by a step. A step that has no meaning in the current state changes nothing. */
export function advanceTransaction(state: TransactionState, step: TransactionStep): StepResult {
  const react = TABLE[state.name][step.type] as (state: TransactionState, step: TransactionStep) => StepResult
  return react(state, step)
}

export function isEnded({ name }: TransactionState): boolean {
  return ENDED[name]
}

const ENDED: Readonly<Record<TransactionStateName, boolean>> = {
  PLANNING: false,
  OPENING: false,
  OFFERING: false,
  COMMITTING: false,
  UNDOING: false,
  COMMITTED: true,
  DISCARDED: true,
  UNANNOUNCED: true,
  HANDED_OVER: true,
}

type React<Name extends TransactionStepName> = (
  state: TransactionState,
  step: Extract<TransactionStep, { type: Name }>,
) => StepResult
type Row = { readonly [Name in TransactionStepName]: React<Name> }

const stay = (state: TransactionState): StepResult => ({ state, effects: [] })
const handOver = (state: TransactionState): StepResult => ({ state: { ...state, name: 'HANDED_OVER' }, effects: [] })
const undo = (state: TransactionState, { reason }: { readonly reason: string }): StepResult => ({
  state: { ...state, name: 'UNDOING', reason, retry: false },
  effects: [{ type: 'undo' }],
})
/** On the first attempt no participant was notified yet, on later ones some were. */
const giveUp = (state: TransactionState, { reason }: { readonly reason: string }): StepResult =>
  state.attempt === 1
    ? { state: { ...state, name: 'UNANNOUNCED', reason }, effects: [] }
    : { state: { ...state, name: 'DISCARDED', reason }, effects: [{ type: 'notifyDiscard', reason }] }

/** All participants have been asked. */
function decide(state: TransactionState): StepResult {
  const [problem] = state.problems
  if (problem !== undefined) return undo(state, { reason: problem.message })
  if (state.dryRun) return undo(state, { reason: DRY_RUN_REASON })
  return { state: { ...state, name: 'COMMITTING' }, effects: [{ type: 'commit' }] }
}

function offer(state: TransactionState, operation: number | null): StepResult {
  if (operation === null) return decide(state)
  return { state: { ...state, name: 'OFFERING' }, effects: [{ type: 'offer', operation }] }
}

const NOTHING: Row = {
  planned: stay,
  opened: stay,
  answered: stay,
  committed: stay,
  refused: stay,
  moved: stay,
  claimed: stay,
  failed: stay,
  outcomeUnknown: stay,
  undone: stay,
}

const TABLE: Readonly<Record<TransactionStateName, Row>> = {
  PLANNING: {
    planned: (state, { first }) => ({ state: { ...state, name: 'OPENING', first }, effects: [{ type: 'open' }] }),
    opened: stay,
    answered: stay,
    committed: stay,
    refused: giveUp,
    moved: stay,
    claimed: handOver,
    failed: giveUp,
    outcomeUnknown: stay,
    undone: stay,
  },
  OPENING: {
    planned: stay,
    opened: (state) => offer(state, state.first),
    answered: stay,
    committed: stay,
    refused: undo,
    moved: stay,
    claimed: handOver,
    failed: undo,
    outcomeUnknown: stay,
    undone: stay,
  },
  OFFERING: {
    planned: stay,
    opened: stay,
    answered: (state, { problems, next }) => offer({ ...state, problems: [...state.problems, ...problems] }, next),
    committed: stay,
    refused: undo,
    moved: stay,
    claimed: handOver,
    failed: undo,
    outcomeUnknown: stay,
    undone: stay,
  },
  COMMITTING: {
    planned: stay,
    opened: stay,
    answered: stay,
    committed: (state) => ({ state: { ...state, name: 'COMMITTED' }, effects: [{ type: 'notifyCommit' }] }),
    refused: undo,
    moved: (state, step) => {
      const { state: undoing, effects } = undo(state, step)
      return { state: { ...undoing, retry: state.attempt < MAX_ATTEMPTS }, effects }
    },
    claimed: handOver,
    failed: undo,
    outcomeUnknown: handOver,
    undone: stay,
  },
  UNDOING: {
    planned: stay,
    opened: stay,
    answered: stay,
    committed: stay,
    refused: stay,
    moved: stay,
    claimed: handOver,
    failed: stay,
    outcomeUnknown: stay,
    undone: (state) => {
      if (state.retry) {
        const next: TransactionState = {
          ...state,
          name: 'PLANNING',
          attempt: state.attempt + 1,
          first: null,
          reason: null,
          retry: false,
        }
        return { state: next, effects: [{ type: 'plan' }] }
      }
      return {
        state: { ...state, name: 'DISCARDED' },
        effects: [{ type: 'notifyDiscard', reason: state.reason ?? '' }],
      }
    },
  },
  COMMITTED: NOTHING,
  DISCARDED: NOTHING,
  UNANNOUNCED: NOTHING,
  HANDED_OVER: NOTHING,
}
