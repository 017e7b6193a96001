import type { EntryRevision } from '../../core/entry/entry.js'
import { type EntryId, InvalidEntryId, parseEntryId } from '../../core/entry/entry-id.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import type { Version } from '../../core/history/version.js'
import { compactedError } from '../../store/planning/compacted-errors.js'
import { builder } from '../base/builder.js'
import type { RequestContext } from '../base/request-context.js'
import type { Loaders } from '../loading/loaders.js'

/** @bound Ids in one `nodes` query. */
const MAX_NODES = 1_000

type NodeType = 'Entry' | 'EntryRevision' | 'Version'

/** Entries and entry revisions have the same shape, so each node carries the name of its type. */
type FoundNode = (EntryRevision | Version) & { readonly __typename: NodeType }

export const NodeRef = builder.interfaceRef<object>('Node')

NodeRef.implement({
  description: 'An object with a unique id. `Query.node` fetches it again by that id.',
  resolveType: (node) => (node as FoundNode).__typename,
  fields: (t) => ({
    id: t.id({
      description:
        'The id, unique across all types: "ns:name" for an Entry, "r17/ns:name" for an EntryRevision, "v17" for a Version.',
      resolve: () => {
        throw new Error('Each type of node defines an id of its own')
      },
    }),
  }),
})

builder.queryFields((t) => ({
  node: t.field({
    type: NodeRef,
    nullable: true,
    description: 'The object with this id; null if it does not exist or the text is not an id.',
    args: { id: t.arg.id({ required: true, description: 'The id, as in `Node.id`.' }) },
    resolve: (_root, { id }, context) => findNode(id, context),
  }),
  nodes: t.field({
    type: t.listRef(NodeRef, { nullable: true }),
    description: `The objects with these ids, in the same order; null for each that does not exist. At most ${MAX_NODES} ids.`,
    args: { ids: t.arg.idList({ required: true, description: 'The ids, as in `Node.id`.' }) },
    resolve(_root, { ids }, context) {
      if (ids.length > MAX_NODES) {
        throw new RegistryError('BAD_USER_INPUT', `ids: ${ids.length} ids were sent. Send at most ${MAX_NODES}.`)
      }
      // Each id is resolved by itself, so that an error affects its own item and not the whole list.
      return ids.map((id) => findNode(id, context))
    },
  }),
}))

const VERSION_NODE = /^v(0|[1-9]\d*)$/
const REVISION_NODE = /^r(0|[1-9]\d*)\/(.*)$/s

function findNode(id: string, context: RequestContext): Promise<FoundNode | null> | null {
  const { loaders } = context
  const version = VERSION_NODE.exec(id)
  if (version !== null) return versionNode(Number(version[1]), loaders())
  // A namespace has no slash, so an entry id never matches REVISION_NODE.
  const revision = REVISION_NODE.exec(id)
  const entryId = entryIdOrNull(revision === null ? id : revision[2]!)
  if (entryId === null) return null
  return revision === null ? entryNode(entryId, loaders()) : revisionNode(entryId, Number(revision[1]), context)
}

function entryIdOrNull(text: string): EntryId | null {
  try {
    return parseEntryId(text)
  } catch (error) {
    if (error instanceof InvalidEntryId) return null
    throw error
  }
}

async function versionNode(number: number, loaders: Loaders): Promise<FoundNode | null> {
  const version = Number.isSafeInteger(number) ? await loaders.version.load(number) : null
  return version === null ? null : { ...version, __typename: 'Version' }
}

async function entryNode(id: EntryId, loaders: Loaders): Promise<FoundNode | null> {
  return asNode(await loaders.entry.load(id), 'Entry')
}

/** @throws RegistryError COMPACTED if the log no longer shows whether that revision changed the entry */
async function revisionNode(
  id: EntryId,
  revision: number,
  { loaders, registry }: RequestContext,
): Promise<FoundNode | null> {
  if (!Number.isSafeInteger(revision)) return null
  const found = await loaders().entryRevision.load({ id, revision })
  if (found !== null || revision === 0 || !registry.history.hasHistory) return asNode(found, 'EntryRevision')
  const oldest = await loaders().oldestRevision()
  if (revision < oldest) throw compactedError(revision, oldest)
  return null
}

function asNode(entry: EntryRevision | null, __typename: NodeType): FoundNode | null {
  if (entry === null) return null
  const { id, content, revision, version } = entry
  return { __typename, id, content, revision, version }
}
