import { namespaceFault } from '../../core/entry/entry-id.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import type { NamespaceSummary } from '../../store/contract/history-reader.js'
import { builder } from '../base/builder.js'
import { connectionOf } from '../relay/connection.js'
import { logCursors } from '../relay/cursor-codec.js'
import { pageArgs, pageFrom } from '../relay/page-args.js'
import { EntryChangeConnection } from './entry-change-type.js'

export const NamespaceSummaryRef = builder.objectRef<NamespaceSummary>('NamespaceSummary').implement({
  description: 'A namespace that contains entries, and how many.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The namespace: the part of the ids before the first colon.' }),
    entryCount: t.exposeInt('entryCount', { description: 'The number of entries in it.' }),
  }),
})

builder.queryField('namespaces', (t) =>
  t.field({
    type: [NamespaceSummaryRef],
    description: 'The namespaces that contain entries at the head, sorted by Unicode code points.',
    resolve: (_root, _args, { registry, read }) => read(() => registry.history.namespaces('head')),
  }),
)

builder.queryField('namespaceHistory', (t) =>
  t.field({
    type: EntryChangeConnection,
    description:
      'All changes ever made to the entries of a namespace, newest first. Changes of one revision are listed last to first.',
    args: { name: t.arg.string({ required: true, description: 'The name of the namespace.' }), ...pageArgs },
    async resolve(_root, { name, ...args }, { registry: { history }, read }) {
      const namespace = namespaceFrom(name)
      const cursors = logCursors(history.registryId, `namespaceHistory ${namespace}`)
      const page = pageFrom(args, cursors)
      const found = await read(() => history.namespaceChanges(namespace, page))
      return connectionOf(
        page,
        found,
        cursors,
        ({ revision, position }) => ({ revision, position }),
        () => read(() => history.namespaceChangeCount(namespace)),
      )
    },
  }),
)

/** Normalizes the name of a namespace. @throws RegistryError BAD_USER_INPUT if the name breaks a rule */
export function namespaceFrom(name: string): string {
  const namespace = name.normalize('NFC')
  const fault = namespaceFault(namespace)
  if (fault !== undefined) throw new RegistryError('BAD_USER_INPUT', `name: ${fault}`)
  return namespace
}
