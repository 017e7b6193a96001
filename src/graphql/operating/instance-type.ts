import { type Instance, MAX_INSTANCE_NAME_BYTES, TTL } from '../../core/entry/instance.js'
import { builder } from '../base/builder.js'
import { entryIdFrom } from '../base/entry-id-from.js'
import { InstanceRef } from '../base/object-refs.js'
import { markNegativeZeros } from '../results/result-text.js'

InstanceRef.implement({
  description: 'A live user of an entry, for as long as it renews.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'By it the instance is renewed and released.' }),
    entryId: t.exposeID('entryId', { description: 'Which entry it uses.' }),
    name: t.exposeString('name', { description: "Unique among the entry's live instances." }),
    metadata: t.field({
      type: 'JSON',
      nullable: true,
      description: 'What it was acquired with; null where that was nothing, and once it has gone.',
      async resolve({ id, metadataBytes }: Instance, _args, { loaders }) {
        const text = metadataBytes === 0 ? null : await loaders().instanceMetadata.load(id)
        return text === null ? null : markNegativeZeros(JSON.parse(text) as unknown, text)
      },
    }),
    acquiredAt: t.expose('acquiredAt', { type: 'DateTime', description: "By the store's clock." }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description: "When it is gone unless it is renewed, by the store's clock.",
    }),
    fencingToken: t.expose('fencingToken', {
      type: 'SafeInt',
      description:
        'Grows with every instance of the entry ever acquired, also when the entry is deleted and made anew: ' +
        'lets a third party refuse a holder that has been overtaken.',
    }),
  }),
})

const SECONDS = `${TTL.least} to ${TTL.most}`

const AcquireInstanceInputRef = builder.inputType('AcquireInstanceInput', {
  description: 'Who uses which entry, and for how long.',
  fields: (t) => ({
    entry: t.field({ type: 'EntryID', required: true, description: 'Which entry is to be used.' }),
    name: t.string({
      required: true,
      description:
        "Unique among the entry's live instances: acquiring it again while it lives is an error with code INSTANCE_EXISTS. " +
        `${MAX_INSTANCE_NAME_BYTES} bytes at most.`,
    }),
    ttlSeconds: t.int({ required: true, description: `For how long, unless it is renewed: ${SECONDS}.` }),
    metadata: t.field({
      type: 'JSON',
      description: 'Anything that others are to know of it, as large as an entry may be.',
    }),
  }),
})

builder.mutationFields((t) => ({
  acquireInstance: t.field({
    type: InstanceRef,
    description: 'Begin to use an entry. Error codes: ENTRY_NOT_FOUND, INSTANCE_EXISTS.',
    args: {
      input: t.arg({ type: AcquireInstanceInputRef, required: true, description: 'What is to be used, and by whom.' }),
    },
    resolve: (_root, { input: { entry, name, ttlSeconds, metadata } }, { registry }) =>
      registry.instances.acquire({ entry: entryIdFrom(entry, 'entry'), name, ttlSeconds, metadata }),
  }),
  renewInstance: t.field({
    type: InstanceRef,
    description: 'Go on using it: from now for as long again, or for `ttlSeconds`. Error code: INSTANCE_EXPIRED.',
    args: {
      id: t.arg.id({ required: true, description: 'As `acquireInstance` gave it.' }),
      ttlSeconds: t.arg.int({ description: `${SECONDS}; as long as before where left out.` }),
    },
    resolve: (_root, { id, ttlSeconds }, { registry }) => registry.instances.renew(id, ttlSeconds ?? null),
  }),
  releaseInstance: t.boolean({
    description: 'Use it no more. False where it had gone already.',
    args: { id: t.arg.id({ required: true, description: 'As `acquireInstance` gave it.' }) },
    resolve: (_root, { id }, { registry }) => registry.instances.release(id),
  }),
}))
