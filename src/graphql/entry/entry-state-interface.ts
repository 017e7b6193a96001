import type { EntryContent, EntryRevision } from '../../core/entry/entry.js'
import { nameOf, namespaceOf } from '../../core/entry/entry-id.js'
import { builder } from '../base/builder.js'
import { VersionRef } from '../base/object-refs.js'
import { loadVersion } from '../loading/load-version.js'
import { markNegativeZeros } from '../results/result-text.js'
import { storedJson } from '../results/stored-json.js'
import { partAt } from './part-at.js'

const AT_A_PATH = 'or the part at `path`. Null if there is nothing at that path.'

const pathArg = builder.args((t) => ({
  path: t.string({
    description:
      'A dotted path, e.g. "depends_on.0": keys of objects and indexes of lists. A key that contains dots is found too.',
  }),
}))

/** Fields that every form of content has. Types spread them into their own. */
export function contentFields<Shape extends EntryContent>(t: Pick<FieldsOf<Shape>, 'id' | 'string' | 'field'>) {
  return {
    entryId: t.id({ description: 'The id of the entry, e.g. "shop:cart".', resolve: (entry) => entry.id }),
    ns: t.string({
      description: 'The namespace: the part of the id before the first colon.',
      resolve: (entry) => namespaceOf(entry.id),
    }),
    name: t.string({
      description: 'The name: the part of the id after the first colon. It may contain colons.',
      resolve: (entry) => nameOf(entry.id),
    }),
    kind: t.string({
      description: 'The type of the entry, e.g. "function.lua".',
      resolve: (entry) => entry.content.kind,
    }),
    meta: t.field({
      type: 'JSON',
      nullable: true,
      description: `The searchable attributes of the entry as a JSON object, ${AT_A_PATH}`,
      args: pathArg,
      resolve: ({ content }, { path }, { answerSize }) =>
        path == null
          ? storedJson(content.metaText, () => content.meta, answerSize)
          : markNegativeZeros(partAt(content.meta, path), content.metaText),
    }),
    data: t.field({
      type: 'JSON',
      nullable: true,
      description: `The payload of the entry, any JSON value, ${AT_A_PATH}`,
      args: pathArg,
      resolve: ({ content }, { path }, { answerSize }) =>
        path == null
          ? storedJson(content.dataText, () => content.data, answerSize)
          : markNegativeZeros(partAt(content.data, path), content.dataText),
    }),
  }
}

type Interface<Shape> = ReturnType<typeof builder.interfaceRef<Shape>>
type FieldsOf<Shape> = Parameters<NonNullable<Parameters<Interface<Shape>['implement']>[0]['fields']>>[0]

export const EntryStateRef = builder.interfaceRef<EntryRevision>('EntryState')

EntryStateRef.implement({
  description: 'The content of an entry, now or at an earlier revision.',
  fields: (t) => ({
    id: t.id({
      description: 'The id as a `Node`: "ns:name" for an Entry, "r17/ns:name" for an EntryRevision.',
      resolve: () => {
        throw new Error('Both types define an id of their own')
      },
    }),
    ...contentFields(t),
    digest: t.string({
      description:
        'The SHA-256 of kind, meta and data in canonical form (RFC 8785), in hexadecimal. ' +
        'Two digests are equal if and only if the contents are equal by value.',
      resolve: (entry) => entry.content.digest,
    }),
    revision: t.field({
      type: 'SafeInt',
      description:
        'The revision that gave the entry this content. If a rollback restored the content, the revision of the rollback.',
      resolve: (entry) => entry.revision,
    }),
    version: t.field({
      type: VersionRef,
      description: 'The version whose changeset wrote this content. A rollback does not change it.',
      resolve: (entry, _args, context) => loadVersion(entry.version, context),
    }),
  }),
})
