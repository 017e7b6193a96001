import type { Compaction } from '../../store/contract/history.js'
import { builder } from '../base/builder.js'

const CompactionRef = builder.objectRef<Compaction>('Compaction').implement({
  description: 'What a compaction took away, or on a dry run would take. All zero where that had been done before.',
  fields: (t) => ({
    oldestRevision: t.expose('oldestRevision', {
      type: 'SafeInt',
      description: 'The oldest revision that can be read afterwards; on a dry run, now.',
    }),
    versions: t.expose('versions', {
      type: 'SafeInt',
      description: 'How many versions lost their changeset and snapshot.',
    }),
    changes: t.expose('changes', { type: 'SafeInt', description: 'How many changes the log no longer tells.' }),
  }),
})

builder.queryField('oldestRevision', (t) =>
  t.field({
    type: 'SafeInt',
    description:
      'The oldest revision whose state can be read, and the oldest that a stream can go on after: 0 until history is compacted.',
    resolve: (_root, _args, { loaders }) => loaders().oldestRevision(),
  }),
)

builder.mutationField('compact', (t) =>
  t.field({
    type: CompactionRef,
    description:
      'Squash all that lies before a revision into the state it begins with. Versions below keep their number and metadata and lose ' +
      'changeset and snapshot: reading those is an error with code COMPACTED. The same again does nothing. Cannot be undone. ' +
      'Error codes: BAD_USER_INPUT, REVISION_NOT_FOUND, PINNED_BY_TAG (`tag`, `version` and `revision` say by which), HISTORY_DAMAGED, HISTORY_NOT_KEPT.',
    args: {
      before: t.arg({ type: 'SafeInt', required: true, description: 'The revision from which on everything is kept.' }),
      dryRun: t.arg.boolean({ description: 'Only tell what would be taken away.' }),
    },
    async resolve(_root, { before, dryRun }, context) {
      try {
        return await context.registry.compact({ before, dryRun: dryRun ?? false })
      } finally {
        context.renewLoaders()
      }
    },
  }),
)
