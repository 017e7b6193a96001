import type { ChangeBatch } from '../../registry/following/follow-input.js'
import { builder } from '../base/builder.js'
import { EntryChangeRef, VersionRef } from '../base/object-refs.js'
import { subscriptionStream } from '../base/subscription-stream.js'
import { criteriaArgs, criteriaFrom } from '../entry/entry-filter-input.js'
import { loadVersion } from '../loading/load-version.js'

const ChangeBatchRef = builder.objectRef<ChangeBatch>('ChangeBatch').implement({
  description:
    'Changes of one revision. A revision with many changes is sent in several batches; a batch never contains two revisions.',
  fields: (t) => ({
    cursor: t.exposeString('cursor', {
      description: 'The position after this batch. Pass it as `after` to resume from here, at any gateway.',
    }),
    revision: t.expose('revision', {
      type: 'SafeInt',
      description: 'The revision of these changes. For an empty batch: the revision that the stream has reached.',
    }),
    version: t.field({
      type: VersionRef,
      description: 'The version that was the head at that revision.',
      resolve: ({ version }, _args, context) => loadVersion(version, context),
    }),
    changes: t.field({
      type: [EntryChangeRef],
      description:
        'The changes, as seen through the filter. An entry that starts to match is a CREATE; one that stops matching is a DELETE.',
      resolve: ({ changes }) => [...changes],
    }),
    complete: t.exposeBoolean('complete', { description: 'Whether this is the last batch of its revision.' }),
    synced: t.exposeBoolean('synced', {
      description: 'Whether the stream has caught up with the head. Once true, it stays true.',
    }),
  }),
})

builder.subscriptionField('changes', (t) =>
  t.field({
    type: ChangeBatchRef,
    description:
      'The durable stream of changes: ordered, without gaps or duplicates, and resumable at any gateway. It begins at the head, or ' +
      'after a cursor. With `initial` it sends the matching entries first. Slow readers read from the log at their own pace.',
    args: {
      after: t.arg.string({
        description:
          'The cursor of a batch. The stream resumes right after that batch. If unset, it begins at the head.',
      }),
      ...criteriaArgs,
      initial: t.arg.boolean({
        description:
          'Whether to send the matching entries first, as CREATE changes of one revision. Ignored if `after` is set.',
      }),
    },
    subscribe(_root, args, context) {
      const criteria = criteriaFrom(args)
      const after = args.after ?? null
      const initial = args.initial ?? false
      return subscriptionStream(context, (signal) =>
        context.registry.follow({ after, criteria, initial, signal, tracker: context.tracker }),
      )
    },
    resolve(batch, _args, context) {
      context.renewLoaders()
      return batch as ChangeBatch
    },
  }),
)
