import type { EntryRevision } from '../../core/entry/entry.js'
import { type EntryId, InvalidEntryId, parseEntryId } from '../../core/entry/entry-id.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import type { Version } from '../../core/history/version.js'
import { compactedError } from '../../store/planning/compacted-errors.js'
import { builder } from '../base/builder.js'
import type { RequestContext } from '../base/request-context.js'
import type { Loaders } from '../loading/loaders.js'

/** @bound Ids in one `nodes` query. */
export const MAX_NODES = 1_000

type NodeType = 'Entry' | 'EntryRevision' | 'Version'

/** Entries and their revisions look alike from behind: a node also carries which of them it is. */
type FoundNode = (EntryRevision | Version) & { readonly __typename: NodeType }

export const NodeRef = builder.interfaceRef<object>('Node')

NodeRef.implement({
  description: 'A thing that can be fetched again by its id.',
  resolveType: (node) => (node as FoundNode).__typename,
  fields: (t) => ({
    id: t.id({
      description:
        'Readable and unique over all types: "ns:name" (Entry), "r17/ns:name" (EntryRevision), "v17" (Version).',
      resolve: () => {
        throw new Error('each type of node has an id of its own')
      },
    }),
  }),
})

builder.queryFields((t) => ({
  node: t.field({
    type: NodeRef,
    nullable: true,
    description: 'The thing with this id; null where there is none, and where no id looks like this.',
    args: { id: t.arg.id({ required: true, description: 'As given by `Node.id`.' }) },
    resolve: (_root, { id }, context) => findNode(id, context),
  }),
  nodes: t.field({
    type: t.listRef(NodeRef, { nullable: true }),
    description: `The things with these ids, in the order asked for, ${MAX_NODES} at most; null in place of each that is not there.`,
    args: { ids: t.arg.idList({ required: true, description: 'As given by `Node.id`.' }) },
    resolve(_root, { ids }, context) {
      if (ids.length > MAX_NODES) {
        throw new RegistryError('BAD_USER_INPUT', `ids has ${ids.length} ids: ask for ${MAX_NODES} at most at once`)
      }
      // Each by itself: one that cannot be told costs its own place, not the whole list.
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
  // A namespace has no slash: nothing that begins so is an entry's id.
  const revision = REVISION_NODE.exec(id)
  const entryId = readEntryId(revision === null ? id : revision[2]!)
  if (entryId === null) return null
  return revision === null ? entryNode(entryId, loaders()) : revisionNode(entryId, Number(revision[1]), context)
}

function readEntryId(text: string): EntryId | null {
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
  return marked(await loaders.entry.load(id), 'Entry')
}

/** @throws RegistryError COMPACTED where it is not known any more whether that revision gave the entry anything */
async function revisionNode(
  id: EntryId,
  revision: number,
  { loaders, registry }: RequestContext,
): Promise<FoundNode | null> {
  if (!Number.isSafeInteger(revision)) return null
  const found = await loaders().entryRevision.load({ id, revision })
  if (found !== null || revision === 0 || !registry.history.hasHistory) return marked(found, 'EntryRevision')
  const oldest = await loaders().oldestRevision()
  if (revision < oldest) throw compactedError(revision, oldest)
  return null
}

function marked(entry: EntryRevision | null, __typename: NodeType): FoundNode | null {
  if (entry === null) return null
  const { id, content, revision, version } = entry
  return { __typename, id, content, revision, version }
}
