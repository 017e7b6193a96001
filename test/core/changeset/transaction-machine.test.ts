import { describe, expect, it } from 'vitest'
import {
  advanceTransaction,
  beginTransaction,
  isEnded,
  MAX_ATTEMPTS,
  TRANSACTION_STATES,
  TRANSACTION_STEPS,
  type TransactionState,
  type TransactionStateName,
  type TransactionStep,
  type TransactionStepName,
} from '../../../src/core/changeset/transaction-machine.js'
import type { Problem } from '../../../src/core/errors/problem.js'

const REJECTED: Problem = { code: 'REJECTED', message: 'no' }

const STEPS: Readonly<Record<TransactionStepName, TransactionStep>> = {
  planned: { type: 'planned', first: 0 },
  opened: { type: 'opened' },
  answered: { type: 'answered', problems: [], next: 1 },
  committed: { type: 'committed' },
  refused: { type: 'refused', reason: 'r' },
  moved: { type: 'moved', reason: 'm' },
  claimed: { type: 'claimed' },
  failed: { type: 'failed', reason: 'f' },
  outcomeUnknown: { type: 'outcomeUnknown' },
  undone: { type: 'undone' },
}

/** The next state of each pair of state and step. Other pairs change nothing and have no effect. */
const MOVES: Readonly<Record<string, readonly [TransactionStateName, string | null]>> = {
  'PLANNING planned': ['OPENING', 'open'],
  'PLANNING refused': ['UNANNOUNCED', null],
  'PLANNING failed': ['UNANNOUNCED', null],
  'PLANNING claimed': ['HANDED_OVER', null],
  'OPENING opened': ['OFFERING', 'offer'],
  'OPENING refused': ['UNDOING', 'undo'],
  'OPENING failed': ['UNDOING', 'undo'],
  'OPENING claimed': ['HANDED_OVER', null],
  'OFFERING answered': ['OFFERING', 'offer'],
  'OFFERING refused': ['UNDOING', 'undo'],
  'OFFERING failed': ['UNDOING', 'undo'],
  'OFFERING claimed': ['HANDED_OVER', null],
  'COMMITTING committed': ['COMMITTED', 'notifyCommit'],
  'COMMITTING refused': ['UNDOING', 'undo'],
  'COMMITTING moved': ['UNDOING', 'undo'],
  'COMMITTING claimed': ['HANDED_OVER', null],
  'COMMITTING failed': ['UNDOING', 'undo'],
  'COMMITTING outcomeUnknown': ['HANDED_OVER', null],
  'UNDOING undone': ['DISCARDED', 'notifyDiscard'],
  'UNDOING claimed': ['HANDED_OVER', null],
}

const at = (name: TransactionStateName, rest: Partial<TransactionState> = {}): TransactionState => ({
  ...beginTransaction(false).state,
  name,
  first: 0,
  ...rest,
})

describe('a transaction', () => {
  const pairs = TRANSACTION_STATES.flatMap((state) => TRANSACTION_STEPS.map((event) => [state, event] as const))

  it.each(pairs)('in state %s follows the table at %s', (name, event) => {
    const before = at(name)
    const { state, effects } = advanceTransaction(before, STEPS[event])
    const [to, effect] = MOVES[`${name} ${event}`] ?? [name, null]
    expect([state.name, effects.map(({ type }) => type)]).toEqual([to, effect === null ? [] : [effect]])
    if (MOVES[`${name} ${event}`] === undefined) expect(state).toBe(before)
  })

  it('has an effect after every step that does not end it', () => {
    for (const [key, [to, effect]] of Object.entries(MOVES)) expect(isEnded(at(to)) || effect !== null, key).toBe(true)
  })

  it('commits at once if there are no participants', () => {
    expect(advanceTransaction(at('OPENING', { first: null }), STEPS.opened)).toMatchObject({
      state: { name: 'COMMITTING' },
      effects: [{ type: 'commit' }],
    })
  })

  it('commits when all participants have answered and none rejected', () => {
    expect(advanceTransaction(at('OFFERING'), { type: 'answered', problems: [], next: null })).toMatchObject({
      state: { name: 'COMMITTING' },
    })
  })

  it('continues to ask after a rejection, collects all rejections, and then undoes with the first reason', () => {
    const { state } = advanceTransaction(at('OFFERING'), { type: 'answered', problems: [REJECTED], next: 3 })
    expect(state).toMatchObject({ name: 'OFFERING', problems: [REJECTED] })
    const other = { ...REJECTED, message: 'neither' }
    expect(advanceTransaction(state, { type: 'answered', problems: [other], next: null })).toMatchObject({
      state: { name: 'UNDOING', problems: [REJECTED, other], reason: 'no', retry: false },
      effects: [{ type: 'undo' }],
    })
  })

  it('never commits a dry run', () => {
    const { state } = advanceTransaction(at('OFFERING', { dryRun: true }), {
      type: 'answered',
      problems: [],
      next: null,
    })
    expect(state.name).toBe('UNDOING')
    expect(advanceTransaction(state, STEPS.undone)).toMatchObject({
      state: { name: 'DISCARDED' },
      effects: [{ type: 'notifyDiscard', reason: 'dry run' }],
    })
  })

  it('is offered again if an original has changed, up to a maximum of attempts', () => {
    let state = at('COMMITTING')
    for (let attempt = 1; attempt < MAX_ATTEMPTS; attempt++) {
      state = advanceTransaction(state, STEPS.moved).state
      expect(state).toMatchObject({ name: 'UNDOING', retry: true })
      const again = advanceTransaction(state, STEPS.undone)
      expect(again).toMatchObject({ state: { name: 'PLANNING', attempt: attempt + 1 }, effects: [{ type: 'plan' }] })
      state = { ...again.state, name: 'COMMITTING' }
    }
    state = advanceTransaction(state, STEPS.moved).state
    expect(advanceTransaction(state, STEPS.undone)).toMatchObject({
      state: { name: 'DISCARDED' },
      effects: [{ type: 'notifyDiscard', reason: 'm' }],
    })
  })

  it('notifies the participants that know it if a later plan is refused', () => {
    expect(advanceTransaction(at('PLANNING', { attempt: 2 }), STEPS.refused)).toMatchObject({
      state: { name: 'DISCARDED' },
      effects: [{ type: 'notifyDiscard', reason: 'r' }],
    })
  })
})
