import { tagNameFault } from '../../core/history/tag.js'
import { builder } from '../base/builder.js'
import { TagRef, VersionRef } from '../base/object-refs.js'
import type { RequestContext } from '../base/request-context.js'
import { loadVersion } from '../loading/load-version.js'
import { connectionOf, connectionType } from '../relay/connection.js'
import { nameCursors } from '../relay/cursor-codec.js'
import { pageArgs, pageFrom } from '../relay/page-args.js'

TagRef.implement({
  description: 'A name for a version. Setting one moves no head and makes no revision.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Unique in the registry.' }),
    version: t.field({
      type: VersionRef,
      description: 'The version that it stands on.',
      resolve: ({ version }, _args, context) => loadVersion(version, context),
    }),
    movable: t.exposeBoolean('movable', {
      description: 'Whether it may be put on another version; a fixed one stays where it is.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was put there.' }),
    author: t.exposeString('author', { nullable: true, description: 'Who put it there; null where nobody was named.' }),
  }),
})

const TagConnection = connectionType(TagRef, 'tags')

builder.queryFields((t) => ({
  tag: t.field({
    type: TagRef,
    nullable: true,
    description: 'One tag; null where there is none of this name.',
    args: { name: t.arg.string({ required: true, description: 'Its name.' }) },
    resolve: (_root, { name }, { loaders }) => (tagNameFault(name) === undefined ? loaders().tag.load(name) : null),
  }),
  tags: t.field({
    type: TagConnection,
    description: 'All tags, by name.',
    args: pageArgs,
    async resolve(_root, args, { registry: { history } }) {
      const cursors = nameCursors(history.registryId, 'tags', (name) => tagNameFault(name) === undefined)
      const page = pageFrom(args, cursors)
      return connectionOf(
        page,
        await history.tagPage(page),
        cursors,
        ({ name }) => name,
        () => history.tagCount(),
      )
    },
  }),
}))

const SetTagInputRef = builder.inputType('SetTagInput', {
  description: 'Which tag is to stand on which version.',
  fields: (t) => ({
    name: t.string({
      required: true,
      description: 'Segments of A-Z, a-z, 0-9, "_" and "-", joined by "." or "/"; 255 characters at most.',
    }),
    version: t.field({ type: 'SafeInt', required: true, description: 'The version that it is to stand on.' }),
    movable: t.boolean({
      description: 'Whether it may be moved later. Left out, it stays as it is; a new tag is fixed.',
    }),
    expectedVersion: t.field({
      type: 'SafeInt',
      description: 'Refuse (TAG_MOVED) unless it stands on this version now.',
    }),
  }),
})

builder.mutationFields((t) => ({
  setTag: t.field({
    type: TagRef,
    description:
      'Put a tag on a version. The same again changes nothing. ' +
      'Error codes: VERSION_NOT_FOUND, TAG_NOT_FOUND (a version was expected), TAG_MOVED, TAG_FIXED.',
    args: { input: t.arg({ type: SetTagInputRef, required: true, description: 'Which, and where.' }) },
    resolve: (_root, { input }, context) =>
      afterwards(
        context,
        context.registry.setTag(
          {
            name: input.name,
            version: input.version,
            movable: input.movable ?? null,
            expectedVersion: input.expectedVersion ?? null,
          },
          { author: context.author },
        ),
      ),
  }),
  deleteTag: t.field({
    type: TagRef,
    description: 'Take a tag away; the answer is the tag as it was. Error codes: TAG_NOT_FOUND, TAG_FIXED.',
    args: {
      name: t.arg.string({ required: true, description: 'Its name.' }),
      force: t.arg.boolean({ description: 'Even where it is fixed.' }),
    },
    resolve: (_root, { name, force }, context) => afterwards(context, context.registry.deleteTag(name, force ?? false)),
  }),
}))

/** The answer is to show the registry as it is after the write. */
async function afterwards<Result>(context: RequestContext, write: Promise<Result>): Promise<Result> {
  try {
    return await write
  } finally {
    context.renewLoaders()
  }
}
