import type { ChangeBatch } from '../../registry/following/follow-input.js'
import { builder } from '../base/builder.js'
import { badInput } from '../base/graphql-errors.js'
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
      'after a cursor or revision. With `initial` it sends the matching entries first. Slow readers read from the log at their own pace. ' +
      'It has no end of its own: after any end, a normal `complete` too, resume with the last cursor.',
    args: {
      after: t.arg.string({
        description:
          'The `cursor` of a batch, a snapshot, a transition or a page of entries. The stream resumes right after it. If unset, it begins at the head. ' +
          'A cursor within the initial pages belongs to their filter; with another one it is INVALID_CURSOR.',
      }),
      afterRevision: t.arg({
        type: 'SafeInt',
        description:
          'A revision. The stream begins right after it. Error codes: BAD_USER_INPUT together with `after`, REVISION_NOT_FOUND, COMPACTED.',
      }),
      ...criteriaArgs,
      initial: t.arg.boolean({
        description:
          'Whether to send the matching entries first, as CREATE changes of one revision. Ignored if `after` or `afterRevision` is set.',
      }),
    },
    subscribe(_root, args, context) {
      const criteria = criteriaFrom(args)
      const after = args.after ?? null
      const afterRevision = args.afterRevision ?? null
      if (after !== null && afterRevision !== null)
        throw badInput('after and afterRevision are both set; set the one from which to continue')
      const initial = args.initial ?? false
      return subscriptionStream(context, (signal) =>
        context.registry.follow({ after, afterRevision, criteria, initial, signal, tracker: context.tracker }),
      )
    },
    resolve(batch, _args, context) {
      context.beginResult()
      return batch as ChangeBatch
    },
  }),
)
