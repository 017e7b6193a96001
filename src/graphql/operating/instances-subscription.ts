import type { InstanceBatch } from '../../registry/instances/follow-instances.js'
import {
  INSTANCE_CHANGE_KINDS,
  type InstanceChange,
  type InstanceChangeKind,
} from '../../registry/instances/watched-entry.js'
import { builder } from '../base/builder.js'
import { entryIdFrom } from '../base/entry-id-from.js'
import { InstanceRef } from '../base/object-refs.js'
import { subscriptionStream } from '../base/subscription-stream.js'

const MEANINGS: Readonly<Record<InstanceChangeKind, string>> = {
  LIVE: 'It lives: of those that are told first.',
  ACQUIRED: 'It has come.',
  RENEWED: 'It lives for longer: `expiresAt` is another.',
  EXPIRED: 'It has gone: it was not renewed in time.',
  ENDED: 'It has gone before its time: it was released, or its entry was deleted with `force`.',
}

type DescribedKinds = Record<InstanceChangeKind, { description: string }>

const InstanceChangeKindRef = builder.enumType('InstanceChangeKind', {
  description: 'What has happened to an instance.',
  values: Object.fromEntries(
    INSTANCE_CHANGE_KINDS.map((kind) => [kind, { description: MEANINGS[kind] }]),
  ) as DescribedKinds,
})

const InstanceChangeRef = builder.objectRef<InstanceChange>('InstanceChange').implement({
  description: 'Something that happened to an instance.',
  fields: (t) => ({
    kind: t.expose('kind', { type: InstanceChangeKindRef, description: 'What.' }),
    instance: t.expose('instance', { type: InstanceRef, description: 'To which; of one that has gone, as it was.' }),
  }),
})

const InstanceBatchRef = builder.objectRef<InstanceBatch>('InstanceBatch').implement({
  description: "What has happened to an entry's instances since the batch before.",
  fields: (t) => ({
    entryId: t.exposeID('entryId', { description: 'Of which entry.' }),
    reset: t.exposeBoolean('reset', {
      description:
        'The stream begins, or begins anew because it was read too slowly: what came before is void, and all that lives comes (again).',
    }),
    changes: t.field({ type: [InstanceChangeRef], description: 'In order.', resolve: ({ changes }) => [...changes] }),
    synced: t.exposeBoolean('synced', {
      description: 'Everything that was known has been told; false while more is to come at once.',
    }),
  }),
})

builder.subscriptionField('instances', (t) =>
  t.field({
    type: InstanceBatchRef,
    description:
      'Who uses an entry: first those that live, then each as it comes, is renewed or goes, on any gateway. It goes on when ' +
      'the entry is deleted, and may begin before there is one. Changes that follow closely upon each other may be told as what they come to.',
    args: { entry: t.arg({ type: 'EntryID', required: true, description: 'Which entry.' }) },
    subscribe(_root, { entry }, context) {
      const id = entryIdFrom(entry, 'entry')
      return subscriptionStream(context, (signal) => context.registry.instances.follow(id, signal))
    },
    resolve(batch, _args, context) {
      context.renewLoaders()
      return batch as InstanceBatch
    },
  }),
)
