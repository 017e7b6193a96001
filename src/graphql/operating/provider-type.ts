import type { ProviderInfo } from '../../registry/plugins/provider-directory.js'
import { builder } from '../base/builder.js'
import { NodeRef } from '../relay/node-interface.js'

const ProviderRef = builder.objectRef<ProviderInfo>('Provider').implement({
  description: 'An implementation of a store, of a source or of the event bus, built in or registered by a plugin.',
  interfaces: [NodeRef],
  fields: (t) => ({
    id: t.id({
      description: 'The id of the provider: "provider/", its role, "/" and its name.',
      resolve: ({ role, name }) => `provider/${role}/${name}`,
    }),
    name: t.exposeString('name', { description: 'The name used in the configuration, unique within the role.' }),
    role: t.exposeString('role', { description: 'The role: "store", "source" or "bus".' }),
    displayName: t.exposeString('displayName', { description: 'The name for people.' }),
    version: t.exposeString('version', { description: 'The version of the provider.' }),
    description: t.exposeString('description', { description: 'A description for people.' }),
    capabilities: t.stringList({
      description: 'Keywords for what it can do, to search by.',
      resolve: ({ capabilities }) => [...capabilities],
    }),
    isDefault: t.exposeBoolean('isDefault', { description: 'Whether it is used if the configuration names none.' }),
    instanceCount: t.exposeInt('instanceCount', {
      description: 'The number of objects made by it that this gateway uses.',
    }),
    registeredAt: t.expose('registeredAt', {
      type: 'DateTime',
      description: 'The time when it was registered at this gateway.',
    }),
    isHealthy: t.boolean({
      nullable: true,
      description:
        'Whether it works. The check runs now and takes at most 2 seconds. null if it is not in use or has no check.',
      resolve: ({ role, name }, _args, { providers }) => providers.isHealthy(role, name),
    }),
  }),
})

builder.queryFields((t) => ({
  providers: t.field({
    type: [ProviderRef],
    description: 'The providers registered at this gateway, sorted by role and name.',
    args: {
      role: t.arg.string({
        description: 'Only providers of this role: "store", "source" or "bus".',
      }),
      capability: t.arg.string({ description: 'Only providers with this capability.' }),
    },
    resolve: (_root, { role, capability }, { providers }) => [
      ...providers.find({ role: role ?? null, capability: capability ?? null }),
    ],
  }),
  provider: t.field({
    type: ProviderRef,
    nullable: true,
    description: 'A provider; null if it does not exist.',
    args: {
      role: t.arg.string({ required: true, description: 'The role of the provider.' }),
      name: t.arg.string({ required: true, description: 'The name of the provider.' }),
    },
    resolve: (_root, { role, name }, { providers }) => providers.get(role, name),
  }),
}))
