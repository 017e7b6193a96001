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
  LIVE: 'The instance is live. Sent at the beginning of the stream for each live instance.',
  ACQUIRED: 'The instance was acquired.',
  RENEWED: 'The instance was renewed and has a new `expiresAt`.',
  EXPIRED: 'The instance expired because it was not renewed in time.',
  ENDED: 'The instance ended early: it was released, or its entry was deleted with `force`.',
}

type DescribedKinds = Record<InstanceChangeKind, { description: string }>

const InstanceChangeKindRef = builder.enumType('InstanceChangeKind', {
  description: 'The kind of change to an instance.',
  values: Object.fromEntries(
    INSTANCE_CHANGE_KINDS.map((kind) => [kind, { description: MEANINGS[kind] }]),
  ) as DescribedKinds,
})

const InstanceChangeRef = builder.objectRef<InstanceChange>('InstanceChange').implement({
  description: 'A change to an instance.',
  fields: (t) => ({
    kind: t.expose('kind', { type: InstanceChangeKindRef, description: 'The kind of change.' }),
    instance: t.expose('instance', {
      type: InstanceRef,
      description: 'The instance. If it has ended: as it was last.',
    }),
  }),
})

const InstanceBatchRef = builder.objectRef<InstanceBatch>('InstanceBatch').implement({
  description: 'Changes to the instances of an entry since the previous batch.',
  fields: (t) => ({
    entryId: t.exposeID('entryId', { description: 'The id of the entry.' }),
    reset: t.exposeBoolean('reset', {
      description:
        'Whether to discard all earlier batches, because the stream begins or was read too slowly. All live instances follow.',
    }),
    changes: t.field({
      type: [InstanceChangeRef],
      description: 'The changes, in order.',
      resolve: ({ changes }) => [...changes],
    }),
    synced: t.exposeBoolean('synced', {
      description: 'Whether the stream has caught up. false if the next batch follows at once.',
    }),
  }),
})

builder.subscriptionField('instances', (t) =>
  t.field({
    type: InstanceBatchRef,
    description:
      'The instances of an entry on all gateways: first those that are live, then each change. The stream continues if the entry is ' +
      'deleted and may begin before it exists. Changes in quick succession may be merged into one.',
    args: { entry: t.arg({ type: 'EntryID', required: true, description: 'The id of the entry.' }) },
    subscribe(_root, { entry }, context) {
      const id = entryIdFrom(entry, 'entry')
      return subscriptionStream(context, (signal) => context.registry.instances.follow(id, signal))
    },
    resolve(batch, _args, context) {
      context.beginResult()
      return batch as InstanceBatch
    },
  }),
)
