import type { ChangeBatch } from '../../registry/following/follow-input.js'
import { builder } from '../base/builder.js'
import { EntryChangeRef, VersionRef } from '../base/object-refs.js'
import { subscriptionStream } from '../base/subscription-stream.js'
import { criteriaArgs, criteriaFrom } from '../entry/entry-filter-input.js'
import { loadVersion } from '../loading/load-version.js'

const ChangeBatchRef = builder.objectRef<ChangeBatch>('ChangeBatch').implement({
  description: 'Changes of one revision, never of two. The durable stream: ordered, nothing missing, nothing twice.',
  fields: (t) => ({
    cursor: t.exposeString('cursor', { description: 'Pass it as `after` to go on from here, on any gateway.' }),
    revision: t.expose('revision', {
      type: 'SafeInt',
      description: 'The revision these changes are of; of an empty batch, how far the stream has come.',
    }),
    version: t.field({
      type: VersionRef,
      description: 'The head at that revision.',
      resolve: ({ version }, _args, context) => loadVersion(version, context),
    }),
    changes: t.field({
      type: [EntryChangeRef],
      description:
        'As the filter sees them: an entry that begins to match is created, one that ceases to match is deleted.',
      resolve: ({ changes }) => [...changes],
    }),
    complete: t.exposeBoolean('complete', { description: 'False where more of the same revision follows.' }),
    synced: t.exposeBoolean('synced', {
      description: 'True once the stream has caught up with the head as it stood when the stream began.',
    }),
  }),
})

builder.subscriptionField('changes', (t) =>
  t.field({
    type: ChangeBatchRef,
    description:
      'Every change after a cursor, of the entries that match; with `initial`, first the matching entries as they stand. ' +
      'Nothing is buffered: a slow reader reads on from the log at its own pace.',
    args: {
      after: t.arg.string({
        description: "A batch's cursor: go on exactly behind it. Without one the stream begins at the head.",
      }),
      ...criteriaArgs,
      initial: t.arg.boolean({
        description: 'Begin with the matching entries, as CREATE changes of one revision. `after` wins over it.',
      }),
    },
    subscribe(_root, args, context) {
      const criteria = criteriaFrom(args)
      const after = args.after ?? null
      const initial = args.initial ?? false
      return subscriptionStream(context, (signal) =>
        context.registry.follow({ after, criteria, initial, signal, tracker: context.place }),
      )
    },
    resolve(batch, _args, context) {
      context.renewLoaders()
      return batch as ChangeBatch
    },
  }),
)
