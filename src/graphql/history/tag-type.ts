import { tagNameFault } from '../../core/history/tag.js'
import { afterWrite } from '../base/after-write.js'
import { builder } from '../base/builder.js'
import { TagRef, VersionRef } from '../base/object-refs.js'
import { loadVersion } from '../loading/load-version.js'
import { connectionOf, connectionType } from '../relay/connection.js'
import { nameCursors } from '../relay/cursor-codec.js'
import { NodeRef } from '../relay/node-interface.js'
import { pageArgs, pageFrom } from '../relay/page-args.js'

TagRef.implement({
  description: 'A name for a version, like a Git tag. Setting a tag does not move the head and makes no revision.',
  interfaces: [NodeRef],
  fields: (t) => ({
    id: t.id({ description: 'The id of the tag: "tag/" and its name.', resolve: ({ name }) => `tag/${name}` }),
    name: t.exposeString('name', { description: 'The name, unique in the registry.' }),
    version: t.field({
      type: VersionRef,
      description: 'The version that the tag points to.',
      resolve: ({ version }, _args, context) => loadVersion(version, context),
    }),
    movable: t.exposeBoolean('movable', {
      description: 'Whether the tag can be moved to another version. A fixed tag cannot.',
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'The time when the tag was set to its version.',
    }),
    author: t.exposeString('author', { nullable: true, description: 'The author who set the tag; null if unknown.' }),
  }),
})

const TagConnection = connectionType(TagRef, 'tags')

builder.queryFields((t) => ({
  tag: t.field({
    type: TagRef,
    nullable: true,
    description: 'A tag; null if it does not exist.',
    args: { name: t.arg.string({ required: true, description: 'The name of the tag.' }) },
    resolve: (_root, { name }, { loaders }) => (tagNameFault(name) === undefined ? loaders().tag.load(name) : null),
  }),
  tags: t.field({
    type: TagConnection,
    description: 'All tags, sorted by name.',
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
  description: 'A tag and the version that it will point to.',
  fields: (t) => ({
    name: t.string({
      required: true,
      description:
        'The name of the tag: segments of A-Z, a-z, 0-9, "_" and "-", joined by "." or "/". At most 255 characters.',
    }),
    version: t.field({
      type: 'SafeInt',
      required: true,
      description: 'The number of the version that the tag will point to.',
    }),
    movable: t.boolean({
      description:
        'Whether the tag can be moved later. By default an existing tag stays as it is and a new tag is fixed.',
    }),
    expectedVersion: t.field({
      type: 'SafeInt',
      description: 'A fence: the version that the tag must point to now. Otherwise the error code is TAG_MOVED.',
    }),
  }),
})

builder.mutationFields((t) => ({
  setTag: t.field({
    type: TagRef,
    description:
      'Creates a tag or moves it to another version. Repeating it changes nothing. ' +
      'Error codes: VERSION_NOT_FOUND, TAG_NOT_FOUND (with `expectedVersion`), TAG_MOVED, TAG_FIXED.',
    args: { input: t.arg({ type: SetTagInputRef, required: true, description: 'The tag and its version.' }) },
    resolve: (_root, { input }, context) =>
      afterWrite(
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
    description: 'Deletes a tag and returns it as it was. Error codes: TAG_NOT_FOUND, TAG_FIXED.',
    args: {
      name: t.arg.string({ required: true, description: 'The name of the tag.' }),
      force: t.arg.boolean({ description: 'Whether to delete the tag even if it is fixed.' }),
    },
    resolve: (_root, { name, force }, context) => afterWrite(context, context.registry.deleteTag(name, force ?? false)),
  }),
}))
