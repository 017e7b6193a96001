import type { Problem } from '../errors/problem.js'

/*
 * The life of a transaction that participants take part in, as a pure machine.
 *
 *   PLANNING ──▶ OPENING ──▶ OFFERING ──▶ COMMITTING ──▶ COMMITTED
 *      ▲  │          │        │  ▲ │          │
 *      │  │          │        └──┘ │          │ an original has changed, or it was refused
 *      │  ▼          ▼             ▼          ▼
 *      │ UNANNOUNCED      └─────────▶ UNDOING ◀────┘
 *      └─── offered anew ───────────┴──▶ DISCARDED
 *
 * UNANNOUNCED: nobody has heard of it. HANDED_OVER: another gateway ends it, or nobody knows yet how it has ended.
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
  /** Which try this is, from 1. */
  readonly attempt: number
  /** The first operation that somebody is to be asked about; null where nobody is. */
  readonly first: number | null
  /** What participants have against it. */
  readonly problems: readonly Problem[]
  /** Why it ends without a commit. */
  readonly reason: string | null
  /** Of UNDOING: it is to be offered anew afterwards. */
  readonly retry: boolean
}

export type TransactionStepName = TransactionStep['type']

/** What has happened. */
export type TransactionStep =
  /** The store says which operations it comes to. */
  | { readonly type: 'planned'; readonly first: number | null }
  /** The journal knows of it and all who take part have been told that it begins. */
  | { readonly type: 'opened' }
  /** All who were asked about one operation have answered, or their time is up. */
  | { readonly type: 'answered'; readonly problems: readonly Problem[]; readonly next: number | null }
  | { readonly type: 'committed' }
  /** The store refuses it, whatever the participants say. */
  | { readonly type: 'refused'; readonly reason: string }
  /** What was offered is not what there is any more. */
  | { readonly type: 'moved'; readonly reason: string }
  /** Another gateway has taken it over. */
  | { readonly type: 'claimed' }
  /** Something broke; nothing was committed. */
  | { readonly type: 'failed'; readonly reason: string }
  /** The commit was sent and nobody knows what came of it. */
  | { readonly type: 'outcomeUnknown' }
  /** Those that had accepted have been told to go back. */
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

/** What is to be done; each but the last of a transaction brings the next step about. */
export type TransactionEffect =
  | { readonly type: 'plan' }
  | { readonly type: 'open' }
  | { readonly type: 'offer'; readonly operation: number }
  | { readonly type: 'commit' }
  /** Inverse operations, in reverse, to those that had accepted. */
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

/** A transaction at its beginning. */
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

/** What a step makes of a transaction. One that has no meaning where it stands changes nothing. */
export function advanceTransaction(state: TransactionState, event: TransactionStep): StepResult {
  const react = TABLE[state.name][event.type] as (state: TransactionState, event: TransactionStep) => StepResult
  return react(state, event)
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
  event: Extract<TransactionStep, { type: Name }>,
) => StepResult
type Row = { readonly [Name in TransactionStepName]: React<Name> }

const stay = (state: TransactionState): StepResult => ({ state, effects: [] })
const leave = (state: TransactionState): StepResult => ({ state: { ...state, name: 'HANDED_OVER' }, effects: [] })
const undo = (state: TransactionState, { reason }: { readonly reason: string }): StepResult => ({
  state: { ...state, name: 'UNDOING', reason, retry: false },
  effects: [{ type: 'undo' }],
})
/** Before anybody was told there is nobody to tell; on a later try there is. */
const giveUp = (state: TransactionState, { reason }: { readonly reason: string }): StepResult =>
  state.attempt === 1
    ? { state: { ...state, name: 'UNANNOUNCED', reason }, effects: [] }
    : { state: { ...state, name: 'DISCARDED', reason }, effects: [{ type: 'notifyDiscard', reason }] }

/** All that were to be asked have been. */
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
    claimed: leave,
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
    claimed: leave,
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
    claimed: leave,
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
    moved: (state, event) => {
      const { state: undoing, effects } = undo(state, event)
      return { state: { ...undoing, retry: state.attempt < MAX_ATTEMPTS }, effects }
    },
    claimed: leave,
    failed: undo,
    outcomeUnknown: leave,
    undone: stay,
  },
  UNDOING: {
    planned: stay,
    opened: stay,
    answered: stay,
    committed: stay,
    refused: stay,
    moved: stay,
    claimed: leave,
    failed: stay,
    outcomeUnknown: stay,
    undone: (state) => {
      if (state.retry) {
        const anew: TransactionState = {
          ...state,
          name: 'PLANNING',
          attempt: state.attempt + 1,
          first: null,
          reason: null,
          retry: false,
        }
        return { state: anew, effects: [{ type: 'plan' }] }
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
