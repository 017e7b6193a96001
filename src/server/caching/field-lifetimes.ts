/**
 * How long the value of a field stays as it is, from the longest to the shortest:
 * - immutable: forever, once it has been read
 * - by revision: as long as the head stays at its revision
 * - uncacheable: it can change while the head stays
 */
export type Lifetime = 'immutable' | 'by revision' | 'uncacheable'

/** The fields of types, separated by spaces. */
type FieldNames = Readonly<Record<string, string>>

const IMMUTABLE: FieldNames = {
  Changeset: 'created deleted operations updated',
  Delta: 'created deleted operations truncated updated',
  DeltaOperation: 'cursor entry entryId kind original',
  DependencyEdge: 'path reference source target',
  DependencyGraph: 'edges nodes revision truncated',
  DependencyNode: 'depth entry',
  EntryChange: 'entry entryId kind previous revision',
  EntryChangeConnection: 'edges nodes pageInfo totalCount',
  EntryChangeEdge: 'cursor node',
  EntryContent: 'data entryId kind meta name ns',
  EntryIdParts: 'name ns',
  EntryRevision: 'data digest entryId id kind meta name ns revision version',
  EntryRevisionConnection: 'cursor edges nodes pageInfo revision totalCount',
  EntryRevisionEdge: 'cursor node',
  // True as far as no immutable field leads to an `Entry`. `Query.node` decides by the id.
  EntryState: 'data digest entryId id kind meta name ns revision version',
  NamespaceSummary: 'entryCount name',
  Node: 'id',
  Operation: 'entry entryId kind original',
  OperationConnection: 'edges nodes pageInfo totalCount',
  OperationEdge: 'cursor node',
  PageInfo: 'endCursor hasNextPage hasPreviousPage startCursor',
  PathStep: 'direction version',
  Query: 'node nodes snapshot',
  Snapshot: 'cursor entries entry entryCount id namespace namespaces revision version',
  Transition: 'author changes createdAt cursor from id kind message revision to',
  TransitionConnection: 'edges nodes pageInfo totalCount',
  TransitionEdge: 'cursor node',
  Version: 'author changeset createdAt digest id message number previous snapshot',
  VersionConnection: 'edges nodes pageInfo totalCount',
  VersionEdge: 'cursor node',
}

const BY_REVISION: FieldNames = {
  Dependency: 'cursor path reference source target',
  Entry:
    'data dependencies dependenciesTruncated dependents dependentsTruncated digest entryId id kind meta name ns revision version',
  EntryConnection: 'cursor edges nodes pageInfo revision totalCount',
  EntryEdge: 'cursor node',
  EntryRevision: 'entry',
  // References depend on the configured patterns, and with them graphs and the order of a delta.
  Query:
    'buildDelta currentVersion delta dependencyGraph entries entry namespaces parseId path transitions version versions',
  Snapshot: 'dependencyGraph',
  Version: 'children isHead',
}

const UNCACHEABLE: FieldNames = {
  Applied: 'changes delta dryRun replayed transition version warnings',
  ChangeBatch: 'changes complete cursor revision synced version',
  Compaction: 'changes oldestRevision versions',
  // Compaction removes the beginning of a history without a new revision.
  Entry: 'history instances',
  EntryEvent: 'at entry entryId kind original participant path reason system transaction',
  Instance: 'acquiredAt entryId expiresAt fencingToken id metadata name',
  InstanceBatch: 'changes entryId reset synced',
  InstanceChange: 'instance kind',
  MissedEvents: 'at count kind path system',
  Mutation:
    'acquireInstance answerProposal applyChangeset applyVersion compact deleteTag releaseInstance reloadSource renewInstance revertVersion setTag',
  Problem: 'code current entryId message operation participant',
  Proposal: 'awaitsAnswer deadline entry entryId id kind original transaction',
  ProposalAnswered: 'counted proposal',
  Provider: 'capabilities description displayName id instanceCount isDefault isHealthy name registeredAt role version',
  Query: '_entities _service namespaceHistory oldestRevision provider providers source sources tag tags',
  Refused: 'message problems',
  RegistryEvent: 'at kind path system',
  Source: 'entries failed failures id lastCheck lastReload loaded name provider reloadCount status total',
  SourceEvent: 'at created deleted error failed kind path system updated',
  SourceFailure: 'entryId line location message',
  SourceReport: 'created deleted delta failures source updated version',
  Subscription: 'changes entry events instances proposals',
  Tag: 'author createdAt id movable name version',
  TagConnection: 'edges nodes pageInfo totalCount',
  TagEdge: 'cursor node',
  TransactionEvent: 'at error kind operationCount path revision system transaction',
  Version: 'compacted tags',
  Warning: 'code entryId entryIds message',
  _Service: 'sdl',
}

/**
 * The lifetime of every field of the schema, by type and name. `field-lifetimes.test.ts` names the fields that are
 * missing. The arguments of some fields shorten it: `argument-lifetimes.ts`.
 */
export const FIELD_LIFETIMES: Readonly<Record<string, Lifetime>> = Object.fromEntries([
  ...rows(IMMUTABLE, 'immutable'),
  ...rows(BY_REVISION, 'by revision'),
  ...rows(UNCACHEABLE, 'uncacheable'),
])

function rows(types: FieldNames, lifetime: Lifetime): (readonly [string, Lifetime])[] {
  return Object.entries(types).flatMap(([type, names]) =>
    names.split(' ').map((name) => [`${type}.${name}`, lifetime] as const),
  )
}
