import type { EntryRevision } from '../../core/entry/entry.js'
import { type EntryId, InvalidEntryId, parseStoredEntryId } from '../../core/entry/entry-id.js'
import { INSTANCE_ID } from '../../core/entry/instance.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import { tagNameFault } from '../../core/history/tag.js'
import { compactedError, historyMissingError } from '../../store/planning/compacted-errors.js'
import { builder } from '../base/builder.js'
import type { RequestContext } from '../base/request-context.js'

/** @bound Ids in one `nodes` query. */
const MAX_NODES = 1_000

type NodeType =
  | 'Entry'
  | 'EntryRevision'
  | 'Version'
  | 'Snapshot'
  | 'Transition'
  | 'Tag'
  | 'Source'
  | 'Provider'
  | 'Instance'

/** Entries and entry revisions have the same shape, so each node carries the name of its type. */
export type FoundNode = object & { readonly __typename: NodeType }

export const NodeRef = builder.interfaceRef<object>('Node')

NodeRef.implement({
  description: 'An object with a unique id. `Query.node` fetches it again by that id.',
  resolveType: (node) => (node as FoundNode).__typename,
  fields: (t) => ({
    id: t.id({
      description:
        'The id, unique across all types: "ns:name" for an Entry, "r17/ns:name" for an EntryRevision, "v17" for a Version, "t17" for a Transition, ' +
        '"s17" for a Snapshot, "tag/NAME", "source/NAME", "provider/ROLE/NAME", and a UUID for an Instance.',
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
    description:
      'The object with this id; null if it does not exist or the text is not an id. A snapshot or an entry revision that compaction removed is an ' +
      'error with code COMPACTED, and a past snapshot without history is HISTORY_NOT_KEPT, because they may have existed.',
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

interface NodeRow {
  /** Matches ids of this type. Its groups are passed to `find`, or the whole id if there are none. */
  readonly id: RegExp
  readonly find: (context: RequestContext, ...groups: string[]) => Promise<FoundNode | null> | FoundNode | null
}

/**
 * How each type of node is found by its id. Ids of entries are the rest: they have a colon, and no slash before it.
 */
const NODES: readonly NodeRow[] = [
  { id: /^v(0|[1-9]\d*)$/, find: ({ loaders }, number) => numbered(number!, 'Version', loaders().version) },
  { id: /^t(0|[1-9]\d*)$/, find: ({ loaders }, revision) => numbered(revision!, 'Transition', loaders().transition) },
  { id: /^s(0|[1-9]\d*)$/, find: snapshotNode },
  { id: /^r(0|[1-9]\d*)\/(.*)$/s, find: revisionNode },
  {
    id: /^tag\/(.*)$/s,
    find: async ({ loaders }, name) =>
      named('Tag', tagNameFault(name!) === undefined ? await loaders().tag.load(name!) : null),
  },
  { id: /^source\/(.*)$/s, find: async ({ loaders }, name) => named('Source', await loaders().source.load(name!)) },
  {
    id: /^provider\/([^/]*)\/(.*)$/s,
    find: ({ providers }, role, name) => named('Provider', providers.get(role!, name!)),
  },
  {
    id: INSTANCE_ID,
    find: async ({ loaders }, id) => named('Instance', await loaders().instance.load(id)),
  },
  {
    id: /^.*$/s,
    find: async ({ loaders }, text) => {
      const id = entryIdOrNull(text!)
      return id === null ? null : asNode(await loaders().entry.load(id), 'Entry')
    },
  },
]

/** Finds the object with a node id; null if it does not exist or the text is not an id. */
export function findNode(id: string, context: RequestContext): Promise<FoundNode | null> | FoundNode | null {
  for (const row of NODES) {
    const match = row.id.exec(id)
    if (match !== null) return row.find(context, ...(match.length > 1 ? match.slice(1) : match))
  }
  return null
}

function named(__typename: NodeType, found: object | null): FoundNode | null {
  return found === null ? null : { ...found, __typename }
}

async function numbered(
  digits: string,
  __typename: NodeType,
  loader: { load(number: number): Promise<object | null> },
): Promise<FoundNode | null> {
  const number = Number(digits)
  return named(__typename, Number.isSafeInteger(number) ? await loader.load(number) : null)
}

/**
 * All snapshots of a request share the reads of the head and of the oldest revision.
 * @throws RegistryError COMPACTED, HISTORY_NOT_KEPT if the state can no longer be read
 */
async function snapshotNode({ loaders, registry }: RequestContext, digits?: string): Promise<FoundNode | null> {
  const revision = Number(digits)
  if (!Number.isSafeInteger(revision)) return null
  const [head, oldest] = await Promise.all([loaders().head(), loaders().oldestRevision()])
  if (revision > head.revision) return null
  if (revision >= oldest) return { __typename: 'Snapshot', revision } as FoundNode
  if (!registry.history.hasHistory) throw historyMissingError(`Revision ${revision} cannot be read`, oldest)
  throw compactedError(revision, oldest)
}

function entryIdOrNull(text: string): EntryId | null {
  try {
    return parseStoredEntryId(text)
  } catch (error) {
    if (error instanceof InvalidEntryId) return null
    throw error
  }
}

/** @throws RegistryError COMPACTED if the log no longer shows whether that revision changed the entry */
async function revisionNode(
  { loaders, registry }: RequestContext,
  digits?: string,
  text?: string,
): Promise<FoundNode | null> {
  const [id, revision] = [entryIdOrNull(text!), Number(digits)]
  if (id === null || !Number.isSafeInteger(revision)) return null
  const found = await loaders().entryRevision.load({ id, revision })
  if (found !== null || revision === 0 || !registry.history.hasHistory) return asNode(found, 'EntryRevision')
  const oldest = await loaders().oldestRevision()
  if (revision < oldest) throw compactedError(revision, oldest)
  return null
}

function asNode(entry: EntryRevision | null, __typename: NodeType): FoundNode | null {
  if (entry === null) return null
  const { id, content, revision, version } = entry
  return { __typename, id, content, revision, version } as FoundNode
}
