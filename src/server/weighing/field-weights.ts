import { MAX_GRAPH_EDGES, MAX_GRAPH_NODES } from '../../registry/reading/dependency-graph.js'
import { MAX_WARNINGS } from '../../registry/writing/changeset-warnings.js'

/** The cost of one field. The unit is the work for one object of an answer: reading a row, resolving and writing it. */
export interface FieldWeight {
  /** Work besides the objects that the field returns. */
  readonly weight: number
  /** Assumed length of a list without pages, or of one whose pages are not requested. 10 by default. */
  readonly length?: number
  /** Work for `totalCount` of the connection that the field returns. */
  readonly count?: number
}

/** Reads a row, or a batch of rows together with the same field of other objects. */
const LOOKUP: FieldWeight = { weight: 1 }
/** Reads and compares two states, and orders the operations between them. Takes a second for 100,000 entries. */
const DELTA: FieldWeight = { weight: 25_000 }
/** Walks references, a few statements for each level. Reads up to 64 MiB of contents, even if only `truncated` is selected. */
const GRAPH: FieldWeight = { weight: 25_000 }
/** Scans entries until the page is full. Criteria that match few entries read most of the registry. */
const FIND: FieldWeight = { weight: 1_000, count: 2_500 }
const COMMIT: FieldWeight = { weight: 100 }
const FOLLOW: FieldWeight = { weight: 0 }
/** Needs no read, or one that every request does anyway. */
const FREE: FieldWeight = { weight: 0 }
/** Text of any length, whose size is counted while the answer is built. */
const CONTENT: FieldWeight = { weight: 0 }

/**
 * The weight of every field that does work beyond its own row, or that returns a list. `field-weights.test.ts` walks
 * the schema and names the fields that are missing here.
 */
export const FIELD_WEIGHTS: Readonly<Record<string, FieldWeight>> = {
  'Query._entities': LOOKUP,
  'Query.buildDelta': DELTA,
  'Query.currentVersion': LOOKUP,
  'Query.delta': DELTA,
  'Query.dependencyGraph': GRAPH,
  'Query.entries': FIND,
  'Query.entry': FREE,
  'Query.namespaceHistory': { weight: 100, count: 2_500 },
  'Query.namespaces': { weight: 5_000, length: 1_000 },
  'Query.node': LOOKUP,
  'Query.nodes': LOOKUP,
  'Query.oldestRevision': LOOKUP,
  'Query.path': { weight: 1_000, length: 1_000 },
  'Query.provider': LOOKUP,
  'Query.providers': LOOKUP,
  'Query.snapshot': LOOKUP,
  'Query.source': LOOKUP,
  'Query.sources': LOOKUP,
  'Query.tag': LOOKUP,
  'Query.tags': { weight: 10, count: 10 },
  'Query.transitions': { weight: 10, count: 100 },
  'Query.version': LOOKUP,
  'Query.versions': { weight: 10, count: 100 },

  'Mutation.acquireInstance': COMMIT,
  'Mutation.answerProposal': LOOKUP,
  'Mutation.applyChangeset': COMMIT,
  'Mutation.applyVersion': COMMIT,
  'Mutation.compact': { weight: 10_000 },
  'Mutation.deleteTag': COMMIT,
  'Mutation.releaseInstance': COMMIT,
  'Mutation.reloadSource': { weight: 1_000 },
  'Mutation.renewInstance': COMMIT,
  'Mutation.revertVersion': COMMIT,
  'Mutation.setTag': COMMIT,

  'Subscription.changes': FOLLOW,
  'Subscription.entry': FOLLOW,
  'Subscription.events': FOLLOW,
  'Subscription.instances': FOLLOW,
  'Subscription.proposals': FOLLOW,

  'Entry.data': CONTENT,
  'Entry.dependencies': { weight: 10 },
  'Entry.dependenciesTruncated': { weight: 10 },
  'Entry.dependents': { weight: 10 },
  'Entry.dependentsTruncated': { weight: 10 },
  'Entry.history': { weight: 2, count: 2 },
  'Entry.instances': { weight: 1, length: 100 },
  'Entry.meta': CONTENT,
  'Entry.version': FREE,
  'EntryConnection.cursor': FREE,
  'EntryContent.data': CONTENT,
  'EntryContent.meta': CONTENT,
  'EntryRevision.data': CONTENT,
  'EntryRevision.entry': LOOKUP,
  'EntryRevision.meta': CONTENT,
  'EntryRevision.version': FREE,
  'EntryRevisionConnection.cursor': FREE,
  'DependencyGraph.edges': { weight: 0, length: MAX_GRAPH_EDGES },
  'DependencyGraph.nodes': { weight: 0, length: MAX_GRAPH_NODES },
  'Instance.metadata': LOOKUP,
  'InstanceBatch.changes': { weight: 0, length: 500 },

  'ChangeBatch.changes': { weight: 0, length: 500 },
  'ChangeBatch.version': LOOKUP,
  'Changeset.operations': { weight: 10, count: 10 },
  'Delta.operations': { weight: 0, length: 1_000 },
  'Delta.truncated': FREE,
  'PathStep.version': LOOKUP,
  'Snapshot.cursor': FREE,
  'Snapshot.dependencyGraph': GRAPH,
  'Snapshot.entries': FIND,
  'Snapshot.entry': LOOKUP,
  'Snapshot.entryCount': LOOKUP,
  'Snapshot.namespace': FIND,
  'Snapshot.namespaces': { weight: 10_000, length: 1_000 },
  'Snapshot.version': LOOKUP,
  'Tag.version': LOOKUP,
  'Transition.changes': { weight: 10, count: 10 },
  'Transition.cursor': FREE,
  'Transition.from': LOOKUP,
  'Transition.to': LOOKUP,
  'Version.changeset': FREE,
  'Version.children': LOOKUP,
  'Version.compacted': LOOKUP,
  'Version.isHead': FREE,
  'Version.previous': LOOKUP,
  'Version.snapshot': LOOKUP,
  'Version.tags': LOOKUP,

  'Provider.capabilities': FREE,
  /** Runs the check of the provider, for up to 2 seconds. */
  'Provider.isHealthy': { weight: 1_000 },
  'Source.entries': { weight: 100, count: 100 },
  'Source.failures': { weight: 0, length: 100 },
  'SourceReport.failures': { weight: 0, length: 100 },
  'SourceReport.source': LOOKUP,
  'SourceReport.version': LOOKUP,

  'Applied.changes': { weight: 10, length: 1_000 },
  'Applied.delta': LOOKUP,
  'Applied.transition': LOOKUP,
  'Applied.version': LOOKUP,
  'Applied.warnings': { weight: 1_000, length: MAX_WARNINGS },
  'Refused.problems': { weight: 0, length: 100 },
  'Warning.entryIds': FREE,
}
