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
import { entryIdFrom } from '../base/entry-id-from.js'
import { EntryRevisionRef } from '../base/object-refs.js'
import type { RequestContext } from '../base/request-context.js'

const DependencyDirectionRef = builder.enumType('DependencyDirection', {
  description: 'Which way references are walked.',
  values: {
    DEPENDENCIES: { description: 'From an entry to those that it refers to.' },
    DEPENDENTS: { description: 'From an entry to those that refer to it.' },
    BOTH: { description: 'Either way, at every step.' },
  },
})

const DependencyNodeRef = builder.objectRef<DependencyNode>('DependencyNode').implement({
  description: 'An entry in a graph of dependencies.',
  fields: (t) => ({
    entry: t.expose('entry', { type: EntryRevisionRef, description: 'The entry as it stood.' }),
    depth: t.exposeInt('depth', {
      description: "How many references away from the root, by the shortest way; the root's is 0.",
    }),
  }),
})

const DependencyEdgeRef = builder.objectRef<DependencyEdge>('DependencyEdge').implement({
  description: 'A reference between two entries of the graph, or one to nothing.',
  fields: (t) => ({
    source: t.exposeID('source', { description: 'The id of the entry that refers.' }),
    target: t.exposeID('target', {
      nullable: true,
      description:
        'The id of the entry referred to; null where there is none. A reference to several gives an edge for each.',
    }),
    path: t.exposeString('path', {
      description: 'Where in the referring entry the reference stands, e.g. "meta.server".',
    }),
    reference: t.exposeString('reference', { description: 'The reference as it is written there.' }),
  }),
})

export const DependencyGraphRef = builder.objectRef<DependencyGraph>('DependencyGraph').implement({
  description: `Entries and the references between them, breadth first from one: ${MAX_GRAPH_NODES} entries and ${MAX_GRAPH_EDGES} references at most.`,
  fields: (t) => ({
    revision: t.expose('revision', { type: 'SafeInt', description: 'The revision whose state this is.' }),
    nodes: t.field({
      type: [DependencyNodeRef],
      description: 'The entries reached, each once, circles or not: by depth, then by id.',
      resolve: ({ nodes }) => [...nodes],
    }),
    edges: t.field({
      type: [DependencyEdgeRef],
      description:
        'Every reference between them that was walked, and, where dependencies were, those to nothing: by source, then by place.',
      resolve: ({ edges }) => [...edges],
    }),
    truncated: t.exposeBoolean('truncated', {
      description: 'Whether something was left out, or may have been: beyond the depth asked for, or beyond a bound.',
    }),
  }),
})

export const graphArgs = builder.args((t) => ({
  root: t.field({ type: 'EntryID', required: true, description: 'Where to begin.' }),
  depth: t.int({
    description: `How many references to go from the root: ${MAX_GRAPH_DEPTH} unless given, and at most.`,
  }),
  direction: t.field({ type: DependencyDirectionRef, description: 'DEPENDENCIES unless given.' }),
}))

interface GraphArgs {
  readonly root: SubmittedId
  readonly depth?: number | null | undefined
  readonly direction?: DependencyDirection | null | undefined
}

export function graphFrom(
  { root, depth, direction }: GraphArgs,
  revision: number,
  { registry }: RequestContext,
): Promise<DependencyGraph | null> {
  return registry.dependencyGraph(entryIdFrom(root), depth ?? MAX_GRAPH_DEPTH, direction ?? 'DEPENDENCIES', revision)
}

builder.queryField('dependencyGraph', (t) =>
  t.field({
    type: DependencyGraphRef,
    nullable: true,
    description:
      'What an entry depends on, or what depends on it, as far as is asked for; null where there is no such entry. ' +
      'Of dependents in an old state it costs what has changed since; where that is too much, TOO_LARGE says so.',
    args: { ...graphArgs, at: t.arg({ type: AtRef, description: 'In which state; at the head when left out.' }) },
    resolve: async (_root, { at, ...args }, context) => graphFrom(args, await revisionFrom(at, context), context),
  }),
)
