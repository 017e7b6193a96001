import type { ProviderInfo } from '../../registry/plugins/providers.js'
import { builder } from '../base/builder.js'

const ProviderRef = builder.objectRef<ProviderInfo>('Provider').implement({
  description: 'Something that is plugged in, built in or by a plugin: a store, what reads sources, or a bus.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Unique within its role; what a configuration names.' }),
    role: t.exposeString('role', { description: '"store", "source" or "bus".' }),
    displayName: t.exposeString('displayName', { description: 'Its name for people.' }),
    version: t.exposeString('version', { description: 'Its own.' }),
    description: t.exposeString('description', { description: 'What it does.' }),
    capabilities: t.stringList({
      description: 'What it can do, in words to look for.',
      resolve: ({ capabilities }) => [...capabilities],
    }),
    isDefault: t.exposeBoolean('isDefault', { description: 'Whether it is used where a configuration names none.' }),
    instanceCount: t.exposeInt('instanceCount', { description: 'What it has made on this gateway and is in use.' }),
    registeredAt: t.expose('registeredAt', { type: 'DateTime', description: 'When this gateway got to know it.' }),
    isHealthy: t.boolean({
      nullable: true,
      description:
        'Whether what it has made works, looked at now, for 2 seconds at most; null where there is nothing of it, or it does not tell.',
      resolve: ({ role, name }, _args, { providers }) => providers.isHealthy(role, name),
    }),
  }),
})

builder.queryFields((t) => ({
  providers: t.field({
    type: [ProviderRef],
    description: 'What is plugged in on this gateway, by role and name.',
    args: {
      role: t.arg.string({
        description: 'Only of this role: "store", "source" or "bus". There is nothing of any other.',
      }),
      capability: t.arg.string({ description: 'Only what can do this.' }),
    },
    resolve: (_root, { role, capability }, { providers }) => [
      ...providers.find({ role: role ?? null, capability: capability ?? null }),
    ],
  }),
  provider: t.field({
    type: ProviderRef,
    nullable: true,
    description: 'One provider; null where there is none of this role and name.',
    args: {
      role: t.arg.string({ required: true, description: 'Its role.' }),
      name: t.arg.string({ required: true, description: 'Its name.' }),
    },
    resolve: (_root, { role, name }, { providers }) => providers.get(role, name),
  }),
}))
