import type { Compaction } from '../../store/contract/history.js'
import { afterWrite } from '../base/after-write.js'
import { builder } from '../base/builder.js'

const CompactionRef = builder.objectRef<Compaction>('Compaction').implement({
  description: 'What a compaction removed, or would remove in a dry run. The counts are 0 if it was already done.',
  fields: (t) => ({
    oldestRevision: t.expose('oldestRevision', {
      type: 'SafeInt',
      description: 'The oldest readable revision after the compaction. In a dry run: the current one.',
    }),
    versions: t.expose('versions', {
      type: 'SafeInt',
      description: 'The number of versions that lost their changeset and snapshot.',
    }),
    changes: t.expose('changes', { type: 'SafeInt', description: 'The number of changes removed from the log.' }),
  }),
})

builder.queryField('oldestRevision', (t) =>
  t.field({
    type: 'SafeInt',
    description:
      'The oldest revision that can be read, and from which `changes` can resume. 0 until history is compacted.',
    resolve: (_root, _args, { loaders }) => loaders().oldestRevision(),
  }),
)

builder.mutationField('compact', (t) =>
  t.field({
    type: CompactionRef,
    description:
      'Removes the history before a revision. It cannot be undone. Older versions keep their number and metadata but lose their ' +
      'changeset and snapshot: reading those is an error with code COMPACTED. Repeating it does nothing. ' +
      'Error codes: BAD_USER_INPUT, REVISION_NOT_FOUND, PINNED_BY_TAG (with `tag`, `version` and `revision`), HISTORY_DAMAGED, HISTORY_NOT_KEPT.',
    args: {
      before: t.arg({ type: 'SafeInt', required: true, description: 'The oldest revision to retain.' }),
      dryRun: t.arg.boolean({ description: 'Whether to only report what would be removed.' }),
    },
    resolve: (_root, { before, dryRun }, context) =>
      afterWrite(context, context.registry.compact({ before, dryRun: dryRun ?? false })),
  }),
)
