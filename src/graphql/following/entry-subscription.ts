import type { EntryRevision } from '../../core/entry/entry.js'
import { builder } from '../base/builder.js'
import { entryIdFrom } from '../base/entry-id-from.js'
import { EntryRef } from '../base/object-refs.js'
import { subscriptionStream } from '../base/subscription-stream.js'

builder.subscriptionField('entry', (t) =>
  t.field({
    type: EntryRef,
    nullable: true,
    description: 'One entry: as it stands now, then anew after each change; null while there is none.',
    args: { id: t.arg({ type: 'EntryID', required: true, description: 'Whose entry.' }) },
    subscribe(_root, args, context) {
      const id = entryIdFrom(args.id)
      return subscriptionStream(context, (signal) => context.registry.followEntry(id, signal, context.place))
    },
    resolve(entry, _args, context) {
      context.renewLoaders()
      return entry as EntryRevision | null
    },
  }),
)
