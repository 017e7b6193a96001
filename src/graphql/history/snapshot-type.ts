import type { Criteria } from '../../core/criteria/criteria.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import type { Version } from '../../core/history/version.js'
import { cursorAfter } from '../../registry/following/follow-cursor.js'
import { AtRef, revisionFrom } from '../base/at-input.js'
import { builder } from '../base/builder.js'
import { foundUnder, storedEntryIdFrom } from '../base/entry-id-from.js'
import { EntryRevisionRef, type Snapshot, SnapshotRef, VersionRef } from '../base/object-refs.js'
import type { RequestContext } from '../base/request-context.js'
import { DependencyGraphRef, graphArgs, graphFrom } from '../entry/dependency-graph-type.js'
import { entriesPage, type ListState, orderArgs, readPage } from '../entry/entries-query.js'
import { criteriaArgs } from '../entry/entry-filter-input.js'
import { EntryRevisionConnection } from '../entry/entry-revision-type.js'
import { NamespaceSummaryRef, namespaceFrom } from '../entry/namespace-summary-type.js'
import { loadVersion } from '../loading/load-version.js'
import { NodeRef } from '../relay/node-interface.js'
import { forwardArgs, pageArgs } from '../relay/page-args.js'

SnapshotRef.implement({
  description:
    'The state of the whole registry at one revision. All fields show that state, even while the head moves.',
  interfaces: [NodeRef],
  fields: (t) => ({
    id: t.id({
      description: 'The id of the snapshot: "s" and its revision, e.g. "s17".',
      resolve: ({ revision }) => `s${revision}`,
    }),
    cursor: t.string({
      description:
        'Pass it as `after` to the subscription `changes`: it continues with what happened since this state.',
      resolve: ({ revision }, _args, { registry }) => cursorAfter(registry.history.registryId, revision),
    }),
    revision: t.expose('revision', { type: 'SafeInt', description: 'The revision of this state.' }),
    version: t.field({
      type: VersionRef,
      description: 'The version that was the head at this revision.',
      resolve: ({ revision }, _args, context) => versionAt(revision, context),
    }),
    entryCount: t.int({
      description: 'The number of entries.',
      resolve: ({ revision }, _args, { registry, read }) => read(() => registry.history.entryCount(revision)),
    }),
    entry: t.field({
      type: EntryRevisionRef,
      nullable: true,
      description: 'An entry in this state; null if it did not exist.',
      args: { id: t.arg({ type: 'EntryID', required: true, description: 'The id of the entry.' }) },
      async resolve({ revision }, { id: submitted }, { loaders }) {
        const id = storedEntryIdFrom(submitted)
        return foundUnder(id, await loaders().entryAt.load({ id, revision }))
      },
    }),
    entries: t.field({
      type: EntryRevisionConnection,
      description:
        'The entries of this state that match the criteria. All pages show the revision of the first page, even if the snapshot was ' +
        'requested without `at` and the head has moved since. If that revision has been compacted, the error code is COMPACTED.',
      args: { ...criteriaArgs, ...orderArgs, ...pageArgs },
      resolve: (snapshot, args, context) => entriesPage('snapshot', args, listState(snapshot), context),
    }),
    namespace: t.field({
      type: EntryRevisionConnection,
      description:
        'The entries of one namespace, sorted by name. All pages show the revision of the first page, like those of `entries`.',
      args: { name: t.arg.string({ required: true, description: 'The name of the namespace.' }), ...forwardArgs },
      resolve: (snapshot, { name, ...page }, context) =>
        readPage(`namespace ${name.normalize('NFC')}`, inNamespace(name), page, listState(snapshot), context),
    }),
    dependencyGraph: t.field({
      type: DependencyGraphRef,
      nullable: true,
      description: 'The dependency graph of an entry in this state; null if the entry did not exist.',
      args: graphArgs,
      resolve: ({ revision }, args, context) => graphFrom(args, revision, context),
    }),
    namespaces: t.field({
      type: [NamespaceSummaryRef],
      description: 'The namespaces that contained entries, sorted by Unicode code points.',
      resolve: ({ revision }, _args, { registry, read }) => read(() => registry.history.namespaces(revision)),
    }),
  }),
})

builder.queryField('snapshot', (t) =>
  t.field({
    type: SnapshotRef,
    description: 'The state of the registry at a version, revision, tag or time; the head by default.',
    args: { at: t.arg({ type: AtRef, description: 'The state to read. The head by default.' }) },
    resolve: async (_root, { at }, context) => ({
      revision: await revisionFrom(at, context),
      isMoving: at?.revision == null && at?.version == null,
    }),
  }),
)

/** Finds the version that was the head at a readable revision. @throws RegistryError COMPACTED */
async function versionAt(revision: number, context: RequestContext): Promise<Version> {
  const loaders = context.loaders()
  const transition = revision === 0 ? null : await loaders.transition.load(revision)
  if (revision === 0 || transition !== null) return loadVersion(transition?.to ?? 0, context)
  const head = await loaders.head()
  if (head.revision === revision) return loadVersion(head.version, context)
  throw new RegistryError(
    'COMPACTED',
    `The transition of revision ${revision} has been compacted. Read a newer revision.`,
  )
}

function listState({ revision, isMoving = false }: Snapshot): ListState {
  return { at: revision, pages: isMoving ? 'stays' : 'fixed' }
}

function inNamespace(name: string): Criteria {
  return { field: { root: 'ns' }, test: { operator: 'equals', value: namespaceFrom(name) } }
}
