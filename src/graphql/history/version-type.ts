import { compactedError } from '../../store/planning/compacted-errors.js'
import { builder } from '../base/builder.js'
import { ChangesetRef, SnapshotRef, TagRef, VersionRef } from '../base/object-refs.js'
import type { RequestContext } from '../base/request-context.js'
import { loadVersion } from '../loading/load-version.js'
import { connectionOf, connectionType } from '../relay/connection.js'
import { numberCursors } from '../relay/cursor-codec.js'
import { NodeRef } from '../relay/node-interface.js'
import { pageArgs, pageFrom } from '../relay/page-args.js'
import { refuseFutureCursor } from '../relay/refuse-future-cursor.js'

VersionRef.implement({
  description: 'A node of the version tree: what one changeset made. It never changes. v0, the root, is empty.',
  interfaces: [NodeRef],
  fields: (t) => ({
    id: t.id({ description: '"v" and the number.', resolve: ({ number }) => `v${number}` }),
    number: t.expose('number', {
      type: 'SafeInt',
      description: 'Grows by one with each version and is never used twice.',
    }),
    previous: t.field({
      type: VersionRef,
      nullable: true,
      description: 'The version it was applied to; null for v0.',
      resolve: ({ parent }, _args, context) => (parent === null ? null : loadVersion(parent, context)),
    }),
    children: t.field({
      type: [VersionRef],
      description: 'The versions applied to it, by number: several where history branches.',
      resolve: async ({ number }, _args, { loaders }) => [...(await loaders().children.load(number))],
    }),
    tags: t.field({
      type: [TagRef],
      description: 'The tags that stand on it, by name.',
      resolve: async ({ number }, _args, { loaders }) => [...(await loaders().tagsOf.load(number))],
    }),
    isHead: t.boolean({
      description: 'Whether the registry stands at this version.',
      resolve: async ({ number }, _args, { loaders }) => (await loaders().head()).version === number,
    }),
    author: t.exposeString('author', { nullable: true, description: 'Who wrote it; null where nobody was named.' }),
    message: t.exposeString('message', { nullable: true, description: 'What its author says of it.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was committed.' }),
    digest: t.exposeString('digest', {
      description: "SHA-256, hex, chained over the parent's digest and the changeset's bytes.",
    }),
    changeset: t.field({ type: ChangesetRef, description: 'What it changed.', resolve: (version) => version }),
    compacted: t.boolean({
      description:
        'Whether its changeset and snapshot have been compacted away: reading them is an error with code COMPACTED.',
      resolve: ({ revision }, _args, context) => isCompacted(revision, context),
    }),
    snapshot: t.field({
      type: SnapshotRef,
      description: 'The state it made: that of the first revision at which it was the head.',
      resolve: async ({ number, revision }, _args, context) => {
        if (await isCompacted(revision, context))
          throw compactedError(revision, await context.loaders().oldestRevision())
        // What is past is not there: that is said at once, as `Query.snapshot` does.
        return {
          revision: context.registry.history.hasHistory
            ? revision
            : await context.registry.revisionAt({ version: number }),
        }
      },
    }),
  }),
})

const VersionConnection = connectionType(VersionRef, 'versions')

builder.queryFields((t) => ({
  currentVersion: t.field({
    type: VersionRef,
    description: 'The version that the registry stands at.',
    resolve: async (_root, _args, context) => loadVersion((await context.loaders().head()).version, context),
  }),
  version: t.field({
    type: VersionRef,
    nullable: true,
    description: 'One version; null where there is none of this number.',
    args: { number: t.arg({ type: 'SafeInt', required: true, description: 'Its number.' }) },
    resolve: (_root, { number }, { loaders }) => (number < 0 ? null : loaders().version.load(number)),
  }),
  versions: t.field({
    type: VersionConnection,
    description: 'All versions of all branches, by number.',
    args: pageArgs,
    async resolve(_root, args, context) {
      const { history } = context.registry
      const cursors = numberCursors(history.registryId, 'versions')
      const page = pageFrom(args, cursors)
      const found = await history.versionPage(page)
      await refuseFutureCursor(page, found, async () => (await history.versionPage(NEWEST)).items[0]?.number ?? 0)
      return connectionOf(
        page,
        found,
        cursors,
        ({ number }) => number,
        () => history.versionCount(),
      )
    },
  }),
}))

/** Where no history is kept, nothing was ever there to be compacted. */
async function isCompacted(revision: number, { registry, loaders }: RequestContext): Promise<boolean> {
  return registry.history.hasHistory && revision < (await loaders().oldestRevision())
}

const NEWEST = { limit: 1, after: null, before: null, fromEnd: true } as const
