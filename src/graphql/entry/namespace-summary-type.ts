import { namespaceFault } from '../../core/entry/entry-id.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import type { NamespaceSummary } from '../../store/contract/history-reader.js'
import { builder } from '../base/builder.js'
import { connectionOf } from '../relay/connection.js'
import { logCursors } from '../relay/cursor-codec.js'
import { pageArgs, pageFrom } from '../relay/page-args.js'
import { EntryChangeConnection } from './entry-change-type.js'

export const NamespaceSummaryRef = builder.objectRef<NamespaceSummary>('NamespaceSummary').implement({
  description: 'A namespace that holds entries.',
  fields: (t) => ({
    name: t.exposeString('name', { description: "What its entries' ids begin with." }),
    entryCount: t.exposeInt('entryCount', { description: 'How many entries it holds.' }),
  }),
})

builder.queryField('namespaces', (t) =>
  t.field({
    type: [NamespaceSummaryRef],
    description: 'The namespaces that hold entries at the head, by code point.',
    resolve: (_root, _args, { registry }) => registry.history.namespaces('head'),
  }),
)

builder.queryField('namespaceHistory', (t) =>
  t.field({
    type: EntryChangeConnection,
    description:
      'What ever happened to the entries of one namespace, newest first; within a movement of the head the last change first.',
    args: { name: t.arg.string({ required: true, description: 'The namespace.' }), ...pageArgs },
    async resolve(_root, { name, ...args }, { registry: { history } }) {
      const namespace = namespaceFrom(name)
      const cursors = logCursors(history.registryId, `namespaceHistory ${namespace}`)
      const page = pageFrom(args, cursors)
      const found = await history.namespaceChanges(namespace, page)
      return connectionOf(
        page,
        found,
        cursors,
        ({ revision, position }) => ({ revision, position }),
        () => history.namespaceChangeCount(namespace),
      )
    },
  }),
)

/** @throws RegistryError BAD_USER_INPUT where there can be no such namespace */
export function namespaceFrom(name: string): string {
  const namespace = name.normalize('NFC')
  const fault = namespaceFault(namespace)
  if (fault !== undefined) throw new RegistryError('BAD_USER_INPUT', `name: ${fault}`)
  return namespace
}
