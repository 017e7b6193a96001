import { builder } from '../base/builder.js'
import { TransitionRef, VersionRef } from '../base/object-refs.js'
import { EntryChangeConnection } from '../entry/entry-change-type.js'
import { loadVersion } from '../loading/load-version.js'
import { connectionOf, connectionType } from '../relay/connection.js'
import { numberCursors } from '../relay/cursor-codec.js'
import { forwardArgs, pageArgs, pageFrom } from '../relay/page-args.js'
import { refuseFutureCursor } from '../relay/refuse-future-cursor.js'
import { changesPage } from './changes-page.js'

const TransitionKindRef = builder.enumType('TransitionKind', {
  description: 'What moved the head.',
  values: {
    CHANGESET: { description: 'A changeset was applied and made a new version.' },
    VERSION: { description: 'A version that was there already was applied: back, forward or across branches.' },
  },
})

TransitionRef.implement({
  description: 'One movement of the head: a changeset applied, or a version applied.',
  fields: (t) => ({
    revision: t.expose('revision', {
      type: 'SafeInt',
      description: 'Its number: movements are counted from 1 without gaps.',
    }),
    kind: t.expose('kind', { type: TransitionKindRef, description: 'What moved the head.' }),
    from: t.field({
      type: VersionRef,
      description: 'The head before.',
      resolve: ({ from }, _args, context) => loadVersion(from, context),
    }),
    to: t.field({
      type: VersionRef,
      description: 'The head afterwards.',
      resolve: ({ to }, _args, context) => loadVersion(to, context),
    }),
    author: t.exposeString('author', { nullable: true, description: 'Who moved it; null where nobody was named.' }),
    message: t.exposeString('message', { nullable: true, description: 'What they say of it.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was committed.' }),
    changes: t.field({
      type: EntryChangeConnection,
      description: 'What it changed, in an order that may be applied.',
      args: forwardArgs,
      resolve: (transition, args, context) =>
        changesPage('changes', transition.revision, args, () => transition.changeCount, context),
    }),
  }),
})

const TransitionConnection = connectionType(TransitionRef, 'movements of the head')

builder.queryField('transitions', (t) =>
  t.field({
    type: TransitionConnection,
    description: 'The log of head movements, oldest first.',
    args: pageArgs,
    async resolve(_root, args, { registry: { history }, loaders }) {
      const cursors = numberCursors(history.registryId, 'transitions')
      const page = pageFrom(args, cursors)
      const found = await history.transitionPage(page)
      await refuseFutureCursor(page, found, async () => (await loaders().head()).revision)
      return connectionOf(
        page,
        found,
        cursors,
        ({ revision }) => revision,
        () => history.transitionCount(),
      )
    },
  }),
)
