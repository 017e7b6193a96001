import type { SubmittedId } from '../../core/entry/entry-id.js'
import {
  type DependencyDirection,
  type DependencyEdge,
  type DependencyGraph,
  type DependencyNode,
  MAX_GRAPH_DEPTH,
  MAX_GRAPH_EDGES,
  MAX_GRAPH_NODES,
} from '../../registry/reading/dependency-graph.js'
import { AtRef, revisionFrom } from '../base/at-input.js'
import { builder } from '../base/builder.js'
import { foundUnder, storedEntryIdFrom } from '../base/entry-id-from.js'
import { EntryRevisionRef } from '../base/object-refs.js'
import type { RequestContext } from '../base/request-context.js'

const DependencyDirectionRef = builder.enumType('DependencyDirection', {
  description: 'The direction in which references are followed.',
  values: {
    DEPENDENCIES: { description: 'From an entry to the entries that it refers to.' },
    DEPENDENTS: { description: 'From an entry to the entries that refer to it.' },
    BOTH: { description: 'In both directions, at every step.' },
  },
})

const DependencyNodeRef = builder.objectRef<DependencyNode>('DependencyNode').implement({
  description: 'An entry in a dependency graph.',
  fields: (t) => ({
    entry: t.expose('entry', {
      type: EntryRevisionRef,
      description: 'The entry, as it was at the revision of the graph.',
    }),
    depth: t.exposeInt('depth', {
      description: 'The number of references on the shortest path from the root. 0 for the root itself.',
    }),
  }),
})

const DependencyEdgeRef = builder.objectRef<DependencyEdge>('DependencyEdge').implement({
  description: 'A reference between two entries of the graph, or a dangling one.',
  fields: (t) => ({
    source: t.exposeID('source', { description: 'The id of the entry that contains the reference.' }),
    target: t.exposeID('target', {
      nullable: true,
      description:
        'The id of the entry that is referred to; null if there is none. A reference to several entries makes an edge for each.',
    }),
    path: t.exposeString('path', {
      description: 'The path of the reference in its entry, e.g. "meta.server".',
    }),
    reference: t.exposeString('reference', {
      description: 'The reference as it is written, e.g. "app:db", "db" or "group:web".',
    }),
  }),
})

export const DependencyGraphRef = builder.objectRef<DependencyGraph>('DependencyGraph').implement({
  description: `The entries that can be reached from one entry by references. At most ${MAX_GRAPH_NODES} entries and ${MAX_GRAPH_EDGES} references, found breadth first.`,
  fields: (t) => ({
    revision: t.expose('revision', { type: 'SafeInt', description: 'The revision at which the graph was read.' }),
    nodes: t.field({
      type: [DependencyNodeRef],
      description: 'The entries, each once, even in cycles. Sorted by depth, then by id.',
      resolve: ({ nodes }) => [...nodes],
    }),
    edges: t.field({
      type: [DependencyEdgeRef],
      description:
        'The references that were followed, with dangling ones if dependencies were followed. Sorted by source, then by path.',
      resolve: ({ edges }) => [...edges],
    }),
    truncated: t.exposeBoolean('truncated', {
      description: 'Whether entries or references may be missing, because of the requested depth or a limit.',
    }),
  }),
})

export const graphArgs = builder.args((t) => ({
  root: t.field({ type: 'EntryID', required: true, description: 'The id of the entry to start from.' }),
  depth: t.int({
    description: `The largest number of references from the root. ${MAX_GRAPH_DEPTH} by default, which is also the most.`,
  }),
  direction: t.field({
    type: DependencyDirectionRef,
    description: 'The direction in which references are followed. DEPENDENCIES by default.',
  }),
}))

interface GraphArgs {
  readonly root: SubmittedId
  readonly depth?: number | null | undefined
  readonly direction?: DependencyDirection | null | undefined
}

export async function graphFrom(
  { root, depth, direction }: GraphArgs,
  revision: number,
  { registry, read }: RequestContext,
): Promise<DependencyGraph | null> {
  const id = storedEntryIdFrom(root, 'root')
  const graph = await read(() =>
    registry.dependencyGraph(id, depth ?? MAX_GRAPH_DEPTH, direction ?? 'DEPENDENCIES', revision),
  )
  return foundUnder(id, graph, 'root')
}

builder.queryField('dependencyGraph', (t) =>
  t.field({
    type: DependencyGraphRef,
    nullable: true,
    description:
      'The dependency graph of an entry; null if the entry does not exist. ' +
      'Dependents at an old revision are slower the more has changed since. If too much has changed, the error code is TOO_LARGE.',
    args: { ...graphArgs, at: t.arg({ type: AtRef, description: 'The state to read. The head by default.' }) },
    resolve: async (_root, { at, ...args }, context) => graphFrom(args, await revisionFrom(at, context), context),
  }),
)
