import { cursorAfter } from '../../registry/following/follow-cursor.js'
import { builder } from '../base/builder.js'
import { TransitionRef, VersionRef } from '../base/object-refs.js'
import { EntryChangeConnection } from '../entry/entry-change-type.js'
import { loadVersion } from '../loading/load-version.js'
import { connectionOf, connectionType } from '../relay/connection.js'
import { numberCursors } from '../relay/cursor-codec.js'
import { NodeRef } from '../relay/node-interface.js'
import { forwardArgs, pageArgs, pageFrom } from '../relay/page-args.js'
import { refuseFutureCursor } from '../relay/refuse-future-cursor.js'
import { changesPage } from './changes-page.js'

const TransitionKindRef = builder.enumType('TransitionKind', {
  description: 'The reason why the head moved.',
  values: {
    CHANGESET: { description: 'A changeset was applied, which made a new version.' },
    VERSION: { description: 'The head moved to an existing version: back, forward or to another branch.' },
  },
})

TransitionRef.implement({
  description: 'One movement of the head, by a changeset or by applying a version.',
  interfaces: [NodeRef],
  fields: (t) => ({
    id: t.id({
      description: 'The id of the transition: "t" and its revision, e.g. "t17".',
      resolve: ({ revision }) => `t${revision}`,
    }),
    cursor: t.string({
      description:
        'Pass it as `after` to the subscription `changes`: it continues with what happened after this transition.',
      resolve: ({ revision }, _args, { registry }) => cursorAfter(registry.history.registryId, revision),
    }),
    revision: t.expose('revision', {
      type: 'SafeInt',
      description: 'The number of the transition. Revisions count from 1 without gaps.',
    }),
    kind: t.expose('kind', { type: TransitionKindRef, description: 'Whether a changeset or a version was applied.' }),
    from: t.field({
      type: VersionRef,
      description: 'The head before the transition.',
      resolve: ({ from }, _args, context) => loadVersion(from, context),
    }),
    to: t.field({
      type: VersionRef,
      description: 'The head after the transition.',
      resolve: ({ to }, _args, context) => loadVersion(to, context),
    }),
    author: t.exposeString('author', { nullable: true, description: 'The author of the transition; null if unknown.' }),
    message: t.exposeString('message', {
      nullable: true,
      description: 'The message of the author; null if there is none.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'The time of the commit.' }),
    changes: t.field({
      type: EntryChangeConnection,
      description: 'The changes to entries, in the order in which they were applied.',
      args: forwardArgs,
      resolve: (transition, args, context) =>
        changesPage('changes', transition.revision, args, () => transition.changeCount, context),
    }),
  }),
})

const TransitionConnection = connectionType(TransitionRef, 'transitions')

builder.queryField('transitions', (t) =>
  t.field({
    type: TransitionConnection,
    description: 'All transitions of the head, oldest first: the log of the registry.',
    args: pageArgs,
    async resolve(_root, args, { registry: { history }, loaders, read }) {
      const cursors = numberCursors(history.registryId, 'transitions')
      const page = pageFrom(args, cursors)
      const found = await read(() => history.transitionPage(page))
      await refuseFutureCursor(page, found, async () => (await loaders().head()).revision)
      return connectionOf(
        page,
        found,
        cursors,
        ({ revision }) => revision,
        () => read(() => history.transitionCount()),
      )
    },
  }),
)
