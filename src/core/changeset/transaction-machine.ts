import type { Problem } from '../errors/registry-error.js'

/*
 * The life of a transaction that participants take part in, as a pure machine.
 *
 *   PLANNING ──▶ OPENING ──▶ OFFERING ──▶ COMMITTING ──▶ COMMITTED
 *      ▲  │          │        │  ▲ │          │
 *      │  │          │        └──┘ │          │ an original has changed, or it was refused
 *      │  ▼          ▼             ▼          ▼
 *      │ UNTOLD      └─────────▶ UNDOING ◀────┘
 *      └─── offered anew ───────────┴──▶ DISCARDED
 *
 * UNTOLD: nobody has heard of it. LEFT: another gateway ends it, or nobody knows yet how it has ended.
 */

export const TRANSACTION_STATES = [
  'PLANNING',
  'OPENING',
  'OFFERING',
  'COMMITTING',
  'UNDOING',
  'COMMITTED',
  'DISCARDED',
  'UNTOLD',
  'LEFT',
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
  readonly again: boolean
}

export type TransactionEventName = TransactionStep['type']

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
  | { readonly type: 'overtaken' }
  /** Something broke; nothing was committed. */
  | { readonly type: 'failed'; readonly reason: string }
  /** The commit was sent and nobody knows what came of it. */
  | { readonly type: 'lost' }
  /** Those that had accepted have been told to go back. */
  | { readonly type: 'undone' }

export const TRANSACTION_STEPS = [
  'planned',
  'opened',
  'answered',
  'committed',
  'refused',
  'moved',
  'overtaken',
  'failed',
  'lost',
  'undone',
] as const satisfies readonly TransactionEventName[]

/** What is to be done; each but the last of a transaction brings the next step about. */
export type TransactionEffect =
  | { readonly type: 'plan' }
  | { readonly type: 'open' }
  | { readonly type: 'offer'; readonly operation: number }
  | { readonly type: 'commit' }
  /** Inverse operations, in reverse, to those that had accepted. */
  | { readonly type: 'undo' }
  | { readonly type: 'tellCommit' }
  | { readonly type: 'tellDiscard'; readonly reason: string }

export interface Stepped {
  readonly state: TransactionState
  readonly effects: readonly TransactionEffect[]
}

/** @bound Attempts for one changeset whose originals keep changing. After the last one it is refused with CONFLICT. */
export const MOST_ATTEMPTS = 5
export const DRY_RUN_REASON = 'dry run'

/** A transaction at its beginning. */
export function beginTransaction(dryRun: boolean): Stepped {
  const state: TransactionState = {
    name: 'PLANNING',
    dryRun,
    attempt: 1,
    first: null,
    problems: [],
    reason: null,
    again: false,
  }
  return { state, effects: [{ type: 'plan' }] }
}

/** What a step makes of a transaction. One that has no meaning where it stands changes nothing. */
export function step(state: TransactionState, event: TransactionStep): Stepped {
  const react = TABLE[state.name][event.type] as (state: TransactionState, event: TransactionStep) => Stepped
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
  UNTOLD: true,
  LEFT: true,
}

type React<Name extends TransactionEventName> = (
  state: TransactionState,
  event: Extract<TransactionStep, { type: Name }>,
) => Stepped
type Row = { readonly [Name in TransactionEventName]: React<Name> }

const stay = (state: TransactionState): Stepped => ({ state, effects: [] })
const leave = (state: TransactionState): Stepped => ({ state: { ...state, name: 'LEFT' }, effects: [] })
const undo = (state: TransactionState, { reason }: { readonly reason: string }): Stepped => ({
  state: { ...state, name: 'UNDOING', reason, again: false },
  effects: [{ type: 'undo' }],
})
/** Before anybody was told there is nobody to tell; on a later try there is. */
const giveUp = (state: TransactionState, { reason }: { readonly reason: string }): Stepped =>
  state.attempt === 1
    ? { state: { ...state, name: 'UNTOLD', reason }, effects: [] }
    : { state: { ...state, name: 'DISCARDED', reason }, effects: [{ type: 'tellDiscard', reason }] }

/** All that were to be asked have been. */
function decide(state: TransactionState): Stepped {
  const [problem] = state.problems
  if (problem !== undefined) return undo(state, { reason: problem.message })
  if (state.dryRun) return undo(state, { reason: DRY_RUN_REASON })
  return { state: { ...state, name: 'COMMITTING' }, effects: [{ type: 'commit' }] }
}

function offer(state: TransactionState, operation: number | null): Stepped {
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
  overtaken: stay,
  failed: stay,
  lost: stay,
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
    overtaken: leave,
    failed: giveUp,
    lost: stay,
    undone: stay,
  },
  OPENING: {
    planned: stay,
    opened: (state) => offer(state, state.first),
    answered: stay,
    committed: stay,
    refused: undo,
    moved: stay,
    overtaken: leave,
    failed: undo,
    lost: stay,
    undone: stay,
  },
  OFFERING: {
    planned: stay,
    opened: stay,
    answered: (state, { problems, next }) => offer({ ...state, problems: [...state.problems, ...problems] }, next),
    committed: stay,
    refused: undo,
    moved: stay,
    overtaken: leave,
    failed: undo,
    lost: stay,
    undone: stay,
  },
  COMMITTING: {
    planned: stay,
    opened: stay,
    answered: stay,
    committed: (state) => ({ state: { ...state, name: 'COMMITTED' }, effects: [{ type: 'tellCommit' }] }),
    refused: undo,
    moved: (state, event) => {
      const { state: undoing, effects } = undo(state, event)
      return { state: { ...undoing, again: state.attempt < MOST_ATTEMPTS }, effects }
    },
    overtaken: leave,
    failed: undo,
    lost: leave,
    undone: stay,
  },
  UNDOING: {
    planned: stay,
    opened: stay,
    answered: stay,
    committed: stay,
    refused: stay,
    moved: stay,
    overtaken: leave,
    failed: stay,
    lost: stay,
    undone: (state) => {
      if (state.again) {
        const anew: TransactionState = {
          ...state,
          name: 'PLANNING',
          attempt: state.attempt + 1,
          first: null,
          reason: null,
          again: false,
        }
        return { state: anew, effects: [{ type: 'plan' }] }
      }
      return { state: { ...state, name: 'DISCARDED' }, effects: [{ type: 'tellDiscard', reason: state.reason ?? '' }] }
    },
  },
  COMMITTED: NOTHING,
  DISCARDED: NOTHING,
  UNTOLD: NOTHING,
  LEFT: NOTHING,
}
