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
  description:
    'A version of the registry, made by one changeset. Versions form a tree, like Git commits. v0 is the empty root. Everything that a version says never changes, except for `isHead`, `tags`, `children` and what compaction removes: caches read these again.',
  interfaces: [NodeRef],
  fields: (t) => ({
    id: t.id({
      description: 'The id of the version: "v" and its number, e.g. "v17".',
      resolve: ({ number }) => `v${number}`,
    }),
    number: t.expose('number', {
      type: 'SafeInt',
      description: 'The number of the version. Each new version gets the next number; numbers are never reused.',
    }),
    previous: t.field({
      type: VersionRef,
      nullable: true,
      description: 'The parent: the version that the changeset was applied to. null for v0.',
      resolve: ({ parent }, _args, context) => (parent === null ? null : loadVersion(parent, context)),
    }),
    children: t.field({
      type: [VersionRef],
      description:
        'The versions that have this one as their parent, sorted by number. History branches if there are several.',
      resolve: async ({ number }, _args, { loaders }) => [...(await loaders().children.load(number))],
    }),
    tags: t.field({
      type: [TagRef],
      description: 'The tags that point to this version, sorted by name.',
      resolve: async ({ number }, _args, { loaders }) => [...(await loaders().tagsOf.load(number))],
    }),
    isHead: t.boolean({
      description: 'Whether this version is the current head.',
      resolve: async ({ number }, _args, { loaders }) => (await loaders().head()).version === number,
    }),
    author: t.exposeString('author', { nullable: true, description: 'The author of the changeset; null if unknown.' }),
    message: t.exposeString('message', {
      nullable: true,
      description: 'The message of the author; null if there is none.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'The time of the commit.' }),
    digest: t.exposeString('digest', {
      description:
        'A SHA-256 over the digest of the parent and the bytes of the changeset, in hexadecimal. It identifies the whole lineage.',
    }),
    changeset: t.field({
      type: ChangesetRef,
      description: 'The changeset that made this version from its parent.',
      resolve: (version) => version,
    }),
    compacted: t.boolean({
      description:
        'Whether compaction removed the changeset and snapshot. Reading them is then an error with code COMPACTED.',
      resolve: ({ revision }, _args, context) => isCompacted(revision, context),
    }),
    snapshot: t.field({
      type: SnapshotRef,
      description: 'The state of the registry at this version, read at the first revision at which it was the head.',
      resolve: async ({ number, revision }, _args, context) => {
        if (await isCompacted(revision, context))
          throw compactedError(revision, await context.loaders().oldestRevision())
        // Without history this throws unless the version is the head, like `Query.snapshot`.
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
    description: 'The head: the current version of the registry.',
    resolve: async (_root, _args, context) => loadVersion((await context.loaders().head()).version, context),
  }),
  version: t.field({
    type: VersionRef,
    nullable: true,
    description: 'A version; null if it does not exist.',
    args: { number: t.arg({ type: 'SafeInt', required: true, description: 'The number of the version.' }) },
    resolve: (_root, { number }, { loaders }) => (number < 0 ? null : loaders().version.load(number)),
  }),
  versions: t.field({
    type: VersionConnection,
    description: 'All versions on all branches, sorted by number.',
    args: pageArgs,
    async resolve(_root, args, context) {
      const { history } = context.registry
      const cursors = numberCursors(history.registryId, 'versions')
      const page = pageFrom(args, cursors)
      const found = await context.read(() => history.versionPage(page))
      await refuseFutureCursor(page, found, async () => (await history.versionPage(NEWEST)).items[0]?.number ?? 0)
      return connectionOf(
        page,
        found,
        cursors,
        ({ number }) => number,
        () => context.read(() => history.versionCount()),
      )
    },
  }),
}))

/** A store without history has nothing to compact. */
async function isCompacted(revision: number, { registry, loaders }: RequestContext): Promise<boolean> {
  return registry.history.hasHistory && revision < (await loaders().oldestRevision())
}

const NEWEST = { limit: 1, after: null, before: null, fromEnd: true } as const
