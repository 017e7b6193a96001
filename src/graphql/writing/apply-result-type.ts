import type { Problem } from '../../core/errors/problem.js'
import type { Change } from '../../core/history/change.js'
import { inSlices } from '../../store/coalescing/time-slices.js'
import type { History } from '../../store/contract/history.js'
import type { CommitOutcome, MadeByWrite } from '../../store/contract/history-writer.js'
import { builder } from '../base/builder.js'
import { DeltaRef, EntryChangeRef, TransitionRef, VersionRef } from '../base/object-refs.js'
import type { RequestContext } from '../base/request-context.js'
import { missingChangesError } from '../history/changes-page.js'
import { loadVersion } from '../loading/load-version.js'
import { ProblemRef } from './problem-type.js'
import { WarningRef } from './warning-type.js'

type Applied = Extract<CommitOutcome, { type: 'applied' }>
type Refused = Extract<CommitOutcome, { type: 'refused' }>

const AppliedRef = builder.objectRef<Applied>('Applied').implement({
  description: 'A write that succeeded. In a dry run: a write that would succeed.',
  fields: (t) => ({
    version: t.field({
      type: VersionRef,
      description: 'The head after the write. In a dry run: the current head.',
      resolve: (outcome, _args, context) =>
        madeBy(outcome, context)?.version ?? loadVersion(outcome.head.version, context),
    }),
    transition: t.field({
      type: TransitionRef,
      nullable: true,
      description: 'The transition of the head; null for a dry run, or if the applied version was already the head.',
      resolve(outcome, _args, context) {
        const { revision } = outcome
        return revision === null
          ? null
          : (madeBy(outcome, context)?.transition ?? context.loaders().transition.load(revision))
      },
    }),
    changes: t.field({
      type: [EntryChangeRef],
      description: 'All changes to entries, in the order in which they were applied. Empty for a dry run.',
      resolve: async ({ revision, made }, _args, { registry, signal }) => {
        if (revision === null) return []
        return made === undefined
          ? changesOf(revision, registry.history)
          : [...(await inSlices(made.changes(), signal))]
      },
    }),
    delta: t.field({
      type: DeltaRef,
      description: 'What the write changed. In a dry run: what it would change.',
      resolve: async ({ delta, revision, compacted: isGone }, _args, { registry }) => {
        if (isGone === true) throw await missingChangesError(revision!, registry.history)
        return { operations: delta, between: revision === null ? 'a dry run' : `${revision - 1} ${revision}` }
      },
    }),
    dryRun: t.exposeBoolean('dryRun', {
      description: 'Whether this was a dry run: everything was checked and nothing changed.',
    }),
    replayed: t.exposeBoolean('replayed', {
      description: 'Whether this is the stored result of an earlier request with the same idempotency key.',
    }),
    warnings: t.field({
      type: [WarningRef],
      description:
        'Possible mistakes, which did not prevent the write: breaking changes of a composed supergraph, dependency cycles ' +
        'among the operations, and references to entries that it deletes. At most 100.',
      resolve: async (outcome, _args, { registry, signal }) => [...(await registry.warningsOf(outcome, signal))],
    }),
  }),
})

const RefusedRef = builder.objectRef<Refused>('Refused').implement({
  description: 'A write that was refused. Nothing changed.',
  fields: (t) => ({
    message: t.string({
      description: 'A summary of the problems in one line.',
      resolve: ({ problems }) => summary(problems),
    }),
    problems: t.field({
      type: [ProblemRef],
      description: 'All problems that were found, not only the first.',
      resolve: ({ problems }) => [...problems],
    }),
  }),
})

export const ApplyResultRef = builder.unionType('ApplyResult', {
  description: 'The result of a write: either Applied or Refused.',
  types: [AppliedRef, RefusedRef],
  resolveType: (outcome) => (outcome.type === 'applied' ? 'Applied' : 'Refused'),
})

/** Returns what the write made, and lets the fields below it use its changes. Undefined if it has to be read. */
function madeBy({ made }: Applied, { loaders }: RequestContext): MadeByWrite | undefined {
  if (made !== undefined) loaders().madeChanges.set(made.transition.revision, made.changes)
  return made
}

/** @bound Changes that one statement reads for the answer to a repeated write. It bounds the memory of the read. */
const CHUNK = 10_000

async function changesOf(revision: number, history: History): Promise<Change[]> {
  const changes: Change[] = []
  for (;;) {
    const after = changes.at(-1)?.position ?? null
    const found = await history.changesOf([revision], { limit: CHUNK, after, before: null, fromEnd: false })
    const page = found.get(revision)
    if (page === undefined) throw await missingChangesError(revision, history)
    for (const change of page.items) changes.push(change)
    if (!page.hasMore) return changes
  }
}

function summary(problems: readonly Problem[]): string {
  const [first] = problems
  const message = first === undefined ? 'Refused' : first.message.replaceAll(/\s+/g, ' ')
  return problems.length > 1 ? `${problems.length} problems. The first one: ${message}` : message
}
