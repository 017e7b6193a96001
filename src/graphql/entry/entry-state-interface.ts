import type { EntryContent, EntryRevision } from '../../core/entry/entry.js'
import { nameOf, namespaceOf } from '../../core/entry/entry-id.js'
import { builder } from '../base/builder.js'
import { VersionRef } from '../base/object-refs.js'
import { loadVersion } from '../loading/load-version.js'
import { markNegativeZeros } from '../results/result-text.js'
import { storedJson } from '../results/stored-json.js'
import { partAt } from './part-at.js'

const AT_A_PATH =
  'or the part at a dotted path: keys through objects, numbers into lists. Null where nothing stands there.'

const pathArg = builder.args((t) => ({
  path: t.string({ description: 'E.g. "depends_on.0". A key that holds dots is found too.' }),
}))

/** The fields that every form of content has, to be spread into a type's own. */
export function contentFields<Shape extends EntryContent>(t: Pick<FieldsOf<Shape>, 'id' | 'string' | 'field'>) {
  return {
    entryId: t.id({ description: '"namespace:name"', resolve: (entry) => entry.id }),
    ns: t.string({
      description: "What stands before the id's first colon.",
      resolve: (entry) => namespaceOf(entry.id),
    }),
    name: t.string({ description: "What stands behind the id's first colon.", resolve: (entry) => nameOf(entry.id) }),
    kind: t.string({
      description: 'What sort of thing it is, e.g. "function.lua".',
      resolve: (entry) => entry.content.kind,
    }),
    meta: t.field({
      type: 'JSON',
      nullable: true,
      description: `The whole of meta, ${AT_A_PATH}`,
      args: pathArg,
      resolve: ({ content }, { path }) =>
        path == null
          ? storedJson(content.metaText, () => content.meta)
          : markNegativeZeros(partAt(content.meta, path), content.metaText),
    }),
    data: t.field({
      type: 'JSON',
      nullable: true,
      description: `The whole of data, ${AT_A_PATH}`,
      args: pathArg,
      resolve: ({ content }, { path }) =>
        path == null
          ? storedJson(content.dataText, () => content.data)
          : markNegativeZeros(partAt(content.data, path), content.dataText),
    }),
  }
}

type Interface<Shape> = ReturnType<typeof builder.interfaceRef<Shape>>
type FieldsOf<Shape> = Parameters<NonNullable<Parameters<Interface<Shape>['implement']>[0]['fields']>>[0]

export const EntryStateRef = builder.interfaceRef<EntryRevision>('EntryState')

EntryStateRef.implement({
  description: 'What an entry holds, now or at some revision.',
  fields: (t) => ({
    ...contentFields(t),
    digest: t.string({
      description:
        'SHA-256, hex, of the canonical form (RFC 8785) of kind, meta and data: ' +
        'equal where and only where these are equal by value.',
      resolve: (entry) => entry.content.digest,
    }),
    revision: t.field({
      type: 'SafeInt',
      description:
        'The revision that gave the entry this content; that of a rollback where a rollback brought it back.',
      resolve: (entry) => entry.revision,
    }),
    version: t.field({
      type: VersionRef,
      description: 'The version whose changeset wrote this content.',
      resolve: (entry, _args, context) => loadVersion(entry.version, context),
    }),
  }),
})
