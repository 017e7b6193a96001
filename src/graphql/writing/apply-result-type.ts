import type { Problem } from '../../core/errors/problem.js'
import type { Change } from '../../core/history/change.js'
import type { History } from '../../store/contract/history.js'
import type { CommitOutcome } from '../../store/contract/history-writer.js'
import { compactedError } from '../../store/planning/compacted-errors.js'
import { builder } from '../base/builder.js'
import { DeltaRef, EntryChangeRef, TransitionRef, VersionRef } from '../base/object-refs.js'
import type { RequestContext } from '../base/request-context.js'
import { loadVersion } from '../loading/load-version.js'
import { ProblemRef } from './problem-type.js'
import { WarningRef } from './warning-type.js'

type Applied = Extract<CommitOutcome, { type: 'applied' }>
type Refused = Extract<CommitOutcome, { type: 'refused' }>

const AppliedRef = builder.objectRef<Applied>('Applied').implement({
  description: 'All of it was done; on a dry run, all of it could be.',
  fields: (t) => ({
    version: t.field({
      type: VersionRef,
      description: 'The head afterwards; on a dry run the head as it is.',
      resolve: ({ head }, _args, context) => loadVersion(head.version, context),
    }),
    transition: t.field({
      type: TransitionRef,
      nullable: true,
      description: 'The movement it made; null on a dry run, and where the version applied was the head already.',
      resolve: ({ revision }, _args, { loaders }) => (revision === null ? null : loaders().transition.load(revision)),
    }),
    changes: t.field({
      type: [EntryChangeRef],
      description: 'What it changed, all of it, in order; empty on a dry run.',
      resolve: ({ revision }, _args, { registry }) => (revision === null ? [] : changesOf(revision, registry.history)),
    }),
    delta: t.field({
      type: DeltaRef,
      description: 'What was changed, or on a dry run would have been.',
      resolve: async ({ delta, revision, compacted: isGone }, _args, { loaders }) => {
        if (isGone === true) throw compactedError(revision!, await loaders().oldestRevision())
        return delta
      },
    }),
    dryRun: t.exposeBoolean('dryRun', { description: 'Whether everything was checked and nothing changed.' }),
    replayed: t.exposeBoolean('replayed', {
      description: 'True where this is the stored answer of an earlier request with the same idempotency key.',
    }),
    warnings: t.field({
      type: [WarningRef],
      description:
        'What its author may not have meant: circles among the operations, and dependents that its deletes leave dangling, ' +
        'on a dry run would leave. 100 at most.',
      resolve: async (outcome, _args, { registry }) => [...(await registry.warningsOf(outcome))],
    }),
  }),
})

const RefusedRef = builder.objectRef<Refused>('Refused').implement({
  description: 'Nothing was changed. Every problem found is listed, not only the first.',
  fields: (t) => ({
    message: t.string({ description: 'All of it in one line.', resolve: ({ problems }) => summary(problems) }),
    problems: t.field({ type: [ProblemRef], description: 'Why.', resolve: ({ problems }) => [...problems] }),
  }),
})

export const ApplyResultRef = builder.unionType('ApplyResult', {
  description: 'What came of a write.',
  types: [AppliedRef, RefusedRef],
  resolveType: (outcome) => (outcome.type === 'applied' ? 'Applied' : 'Refused'),
})

/** Runs a write and forgets what was loaded before it: the answer is to show the registry afterwards. */
export async function outcomeOf(write: Promise<CommitOutcome>, context: RequestContext): Promise<CommitOutcome> {
  try {
    return await write
  } finally {
    context.renewLoaders()
  }
}

/** As many as one read may bring into memory at a time. */
const CHUNK = 10_000

async function changesOf(revision: number, history: History): Promise<Change[]> {
  const changes: Change[] = []
  for (;;) {
    const after = changes.at(-1)?.position ?? null
    const found = await history.changesOf([revision], { limit: CHUNK, after, before: null, fromEnd: false })
    const page = found.get(revision)
    if (page === undefined) throw compactedError(revision, await history.oldestRevision())
    for (const change of page.items) changes.push(change)
    if (!page.hasMore) return changes
  }
}

function summary(problems: readonly Problem[]): string {
  const [first] = problems
  const message = first === undefined ? 'refused' : first.message.replaceAll(/\s+/g, ' ')
  return problems.length > 1 ? `${problems.length} problems, the first: ${message}` : message
}
