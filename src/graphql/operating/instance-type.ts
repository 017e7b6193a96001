import { type AcquiredInstance, type Instance, MAX_INSTANCE_NAME_BYTES, TTL } from '../../core/entry/instance.js'
import { builder } from '../base/builder.js'
import { entryIdFrom } from '../base/entry-id-from.js'
import { InstanceRef } from '../base/object-refs.js'
import type { Loaders } from '../loading/loaders.js'
import { NodeRef } from '../relay/node-interface.js'
import { markNegativeZeros } from '../results/result-text.js'

InstanceRef.implement({
  description:
    'A program that uses an entry, registered with a time to live (a lease). It expires unless it is renewed.',
  interfaces: [NodeRef],
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id to pass to `renewInstance` and `releaseInstance`, a UUID.' }),
    entryId: t.exposeID('entryId', { description: 'The id of the entry that it uses.' }),
    name: t.exposeString('name', { description: 'The name, unique among the live instances of the entry.' }),
    metadata: t.field({
      type: 'JSON',
      nullable: true,
      description: 'Any JSON value given at acquisition; null if there was none, or once the instance has ended.',
      async resolve(instance: Instance | AcquiredInstance, _args, { loaders }) {
        const text = await textOfMetadata(instance, loaders)
        return text === null ? null : markNegativeZeros(JSON.parse(text) as unknown, text)
      },
    }),
    acquiredAt: t.expose('acquiredAt', {
      type: 'DateTime',
      description: 'The time of acquisition, by the clock of the store.',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description: 'The time when it expires unless it is renewed, by the clock of the store.',
    }),
    fencingToken: t.expose('fencingToken', {
      type: 'SafeInt',
      description:
        'A number that grows with each instance of the entry, even if the entry is deleted and created again. ' +
        'Other systems can use it to refuse requests of an outdated holder.',
    }),
  }),
})

/** Reads the metadata, unless the instance was just acquired with it. */
function textOfMetadata(
  instance: Instance | AcquiredInstance,
  loaders: () => Loaders,
): Promise<string | null> | string | null {
  if ('metadataText' in instance) return instance.metadataText
  return instance.metadataBytes === 0 ? null : loaders().instanceMetadata.load(instance.id)
}

const SECONDS = `${TTL.least} to ${TTL.most}`

const AcquireInstanceInputRef = builder.inputType('AcquireInstanceInput', {
  description: 'A new instance: which entry it uses, its name, and for how long.',
  fields: (t) => ({
    entry: t.field({ type: 'EntryID', required: true, description: 'The id of the entry to use.' }),
    name: t.string({
      required: true,
      description:
        'The name, unique among the live instances of the entry. Acquiring it again while it lives is an error with code ' +
        `INSTANCE_EXISTS. At most ${MAX_INSTANCE_NAME_BYTES} bytes.`,
    }),
    ttlSeconds: t.int({ required: true, description: `The time to live in seconds, ${SECONDS}.` }),
    metadata: t.field({
      type: 'JSON',
      description: 'Any JSON value for others to read, at most as large as an entry.',
    }),
  }),
})

builder.mutationFields((t) => ({
  acquireInstance: t.field({
    type: InstanceRef,
    description: 'Registers an instance of an entry. Error codes: ENTRY_NOT_FOUND, INSTANCE_EXISTS.',
    args: {
      input: t.arg({
        type: AcquireInstanceInputRef,
        required: true,
        description: 'The entry, the name of the instance and its time to live.',
      }),
    },
    resolve: (_root, { input: { entry, name, ttlSeconds, metadata } }, { registry }) =>
      registry.instances.acquire({ entry: entryIdFrom(entry, 'entry'), name, ttlSeconds, metadata }),
  }),
  renewInstance: t.field({
    type: InstanceRef,
    description:
      'Renews an instance from now, for its previous duration or for `ttlSeconds`. Error code: INSTANCE_EXPIRED.',
    args: {
      id: t.arg.id({ required: true, description: 'The id of the instance, from `acquireInstance`.' }),
      ttlSeconds: t.arg.int({
        description: `The new time to live in seconds, ${SECONDS}. The previous one by default.`,
      }),
    },
    resolve: (_root, { id, ttlSeconds }, { registry }) => registry.instances.renew(id, ttlSeconds ?? null),
  }),
  releaseInstance: t.boolean({
    description: 'Ends an instance. false if it had already ended.',
    args: { id: t.arg.id({ required: true, description: 'The id of the instance, from `acquireInstance`.' }) },
    resolve: (_root, { id }, { registry }) => registry.instances.release(id),
  }),
}))
