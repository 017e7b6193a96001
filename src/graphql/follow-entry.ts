import type { EntryRevision } from '../core/entry.js'
import { builder } from './builder.js'
import { EntryRef } from './refs.js'
import { stream } from './stream.js'
import { entryIdFrom } from './submitted-id.js'

builder.subscriptionField('entry', (t) => t.field({
  type: EntryRef,
  nullable: true,
  description: 'One entry: as it stands now, then anew after each change; null while there is none.',
  args: { id: t.arg({ type: 'EntryID', required: true, description: 'Whose entry.' }) },
  subscribe(_root, args, context) {
    const id = entryIdFrom(args.id)
    return stream(context, (signal) => context.registry.followEntry(id, signal, context.place))
  },
  resolve(entry, _args, context) {
    context.renewLoaders()
    return entry as EntryRevision | null
  },
}))
