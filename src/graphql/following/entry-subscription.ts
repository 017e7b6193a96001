import type { EntryRevision } from '../../core/entry/entry.js'
import { builder } from '../base/builder.js'
import { entryIdFrom } from '../base/entry-id-from.js'
import { EntryRef } from '../base/object-refs.js'
import { subscriptionStream } from '../base/subscription-stream.js'

builder.subscriptionField('entry', (t) =>
  t.field({
    type: EntryRef,
    nullable: true,
    description:
      'An entry: its current state first, then its new state after each change. null while it does not exist.',
    args: { id: t.arg({ type: 'EntryID', required: true, description: 'The id of the entry.' }) },
    subscribe(_root, args, context) {
      const id = entryIdFrom(args.id)
      return subscriptionStream(context, (signal) => context.registry.followEntry(id, signal, context.tracker))
    },
    resolve(entry, _args, context) {
      context.beginResult()
      return entry as EntryRevision | null
    },
  }),
)
