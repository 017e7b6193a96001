import { allOf, type Criteria } from '../../core/criteria/criteria.js'
import { SealedContent } from '../../core/entry/entry.js'
import { compareEntryIds, type EntryId, nameOf, namespaceOf } from '../../core/entry/entry-id.js'
import type { Problem } from '../../core/errors/problem.js'
import type { Warning } from '../../core/errors/warning.js'
import type { Operation, SubmittedOperation } from '../../core/ordering/operation.js'
import type { Derivation, EntryDeriver, ProposedChange } from '../../registry/transactions/entry-deriver.js'
import type { DerivedEntry } from '../../store/contract/derived-entries.js'
import type { HistoryReader } from '../../store/contract/history-reader.js'
import type { CommitRequest } from '../../store/contract/history-writer.js'
import type { ComposeResult, CompositionFault } from './compose-job.js'
import { type ComposeOptions, SUBGRAPH_KIND, SUPERGRAPH_KIND, supergraphId } from './compose-options.js'
import { ComposingThread } from './composing-thread.js'

/** @bound Subgraphs of one supergraph. */
const MAX_SUBGRAPHS = 500

const COMPOSED_KINDS: readonly (string | undefined)[] = [SUBGRAPH_KIND, SUPERGRAPH_KIND]

/** A namespace before and after a changeset. */
interface NamespaceStates {
  readonly namespace: string
  readonly before: NamespaceState
  readonly after: NamespaceState
  readonly operations: readonly Operation[]
}

interface NamespaceState {
  /** In the order of their ids. */
  readonly subgraphs: ReadonlyMap<EntryId, SealedContent>
  /** The entry in the place of the supergraph, whatever its kind. */
  readonly supergraph: SealedContent | null
}

type Judgement =
  | { readonly problems: readonly Problem[] }
  | { readonly entry: DerivedEntry | null; readonly warnings: readonly Warning[] }

/**
 * The participant `graphql.compose`: it composes the subgraphs of a namespace, refuses changesets that do not compose, and
 * computes the entry `<namespace>:supergraph`.
 *
 * That entry names each subgraph with the digest of its content. So if it is unchanged at the commit, the subgraphs are
 * unchanged too, and two changesets that compose alone but not together cannot both be committed.
 */
export class SupergraphComposer implements EntryDeriver {
  readonly name = 'graphql.compose'
  readonly ids: ReadonlySet<EntryId>
  readonly #namespaces: ReadonlySet<string>

  constructor(
    private readonly history: Pick<HistoryReader, 'findEntries'>,
    private readonly options: ComposeOptions,
    private readonly thread = new ComposingThread(),
  ) {
    this.#namespaces = new Set(options.namespaces)
    this.ids = new Set(options.namespaces.map(supergraphId))
  }

  mayConcern(action: CommitRequest['action']): boolean {
    return action.type !== 'changeset' || action.operations.some((operation) => this.#mayBeSubgraph(operation))
  }

  /** The kind of an entry that is deleted is known only when the changeset is planned. */
  #mayBeSubgraph({ kind, id, content }: SubmittedOperation): boolean {
    if (!this.#namespaces.has(namespaceOf(id))) return false
    return kind === 'DELETE' || this.ids.has(id) || COMPOSED_KINDS.includes(content?.kind)
  }

  async derive({ action, delta }: ProposedChange, signal: AbortSignal): Promise<Derivation> {
    const problems: Problem[] = []
    const entries: DerivedEntry[] = []
    const warnings: Warning[] = []
    for (const [namespace, operations] of this.#concerned(delta)) {
      const judgement = await this.#judge(await this.#states(namespace, operations), action, signal)
      if ('problems' in judgement) problems.push(...judgement.problems)
      else {
        if (judgement.entry !== null) entries.push(judgement.entry)
        warnings.push(...judgement.warnings)
      }
    }
    return problems.length > 0 ? { problems } : { entries, warnings }
  }

  close(): Promise<void> {
    return this.thread.close()
  }

  /** The operations that concern a supergraph, by its namespace. */
  #concerned(delta: readonly Operation[]): ReadonlyMap<string, Operation[]> {
    const concerned = new Map<string, Operation[]>()
    for (const operation of delta) {
      const namespace = namespaceOf(operation.id)
      if (!this.#namespaces.has(namespace) || !(isOfKind(operation, SUBGRAPH_KIND) || this.#isReserved(operation)))
        continue
      const operations = concerned.get(namespace)
      if (operations === undefined) concerned.set(namespace, [operation])
      else operations.push(operation)
    }
    return concerned
  }

  #isReserved(operation: Operation): boolean {
    return this.ids.has(operation.id) || isOfKind(operation, SUPERGRAPH_KIND)
  }

  /** Reads the state before the changeset by one query, so that the supergraph belongs to its subgraphs. */
  async #states(namespace: string, operations: readonly Operation[]): Promise<NamespaceStates> {
    const page = { limit: MAX_SUBGRAPHS + 2, after: null, before: null, fromEnd: false }
    const { items } = await this.history.findEntries(composedIn(namespace), 'ID_ASC', page, 'head')
    const before = stateOf(
      namespace,
      items.map(({ id, content }) => [id, content]),
    )
    const after = new Map(items.map(({ id, content }) => [id, content]))
    for (const { id, content } of operations) {
      if (content === null) after.delete(id)
      else after.set(id, content)
    }
    return { namespace, operations, before, after: stateOf(namespace, [...after]) }
  }

  async #judge(states: NamespaceStates, action: ProposedChange['action'], signal: AbortSignal): Promise<Judgement> {
    const { namespace, before, after, operations } = states
    const problems = action === 'changeset' ? this.#misplaced(operations, namespace) : []
    if (problems.length > 0) return { problems }
    const id = supergraphId(namespace)
    const previous = before.supergraph
    if (previous !== null && previous.kind !== SUPERGRAPH_KIND && action !== 'version')
      return this.#blocked(id, previous.kind, operations)
    // The version that the head moves to has a supergraph of its own.
    const entryOf = (content: SealedContent | null) =>
      action === 'version' ? null : { id, content, original: previous }
    if (after.subgraphs.size === 0)
      return { entry: entryOf(null), warnings: previous === null ? [] : [goneWarning(namespace)] }
    if (after.subgraphs.size > MAX_SUBGRAPHS)
      return { problems: [this.#tooMany(namespace, after.subgraphs.size, operations)] }

    const result = await this.#compose(states, previous, signal)
    if ('faults' in result) return { problems: result.faults.map((fault) => this.#rejection(fault, namespace)) }
    const { supergraph, breaking } = result
    if (action === 'changeset' && this.options.onBreaking === 'refuse' && breaking.length > 0)
      return { problems: breaking.map((fault) => this.#refusedBreaking(fault, namespace)) }
    return {
      entry: entryOf(new SealedContent(SUPERGRAPH_KIND, ...supergraph)),
      warnings: breaking.map((fault) => breakingWarning(fault, namespace)),
    }
  }

  #compose(
    { before, after, operations }: NamespaceStates,
    previous: SealedContent | null,
    signal: AbortSignal,
  ): Promise<ComposeResult> {
    const touched = new Set(operations.map(({ id }) => id))
    const textOf = ([id, { digest, dataText }]: readonly [EntryId, SealedContent]) => ({
      id,
      name: nameOf(id),
      digest,
      dataText,
    })
    return this.thread.compose(
      {
        subgraphs: [...after.subgraphs].map((entry) => ({ ...textOf(entry), isTouched: touched.has(entry[0]) })),
        previousSubgraphs: [...before.subgraphs].filter(([id]) => touched.has(id)).map(textOf),
        previous: previous?.dataText ?? null,
      },
      signal,
    )
  }

  /** The problems of operations on what only the gateway writes. */
  #misplaced(operations: readonly Operation[], namespace: string): Problem[] {
    return operations.flatMap(({ id, content, original }) => {
      // Entries from before the namespace was composed may be deleted.
      if (content === null && !(this.ids.has(id) && original?.kind === SUPERGRAPH_KIND)) return []
      if (this.ids.has(id)) {
        const message = `${id} is the supergraph that the gateway composes from the subgraphs of ${namespace}. Publish a ${SUBGRAPH_KIND} under another name.`
        return [this.#problem(message, id)]
      }
      if (content?.kind !== SUPERGRAPH_KIND) return []
      const message = `${id} has the kind ${SUPERGRAPH_KIND}, which only the gateway writes in ${namespace}. Choose another kind.`
      return [this.#problem(message, id)]
    })
  }

  /** Another entry is in the place of the supergraph since before the namespace was composed. */
  #blocked(id: EntryId, kind: string, operations: readonly Operation[]): Judgement {
    const subgraphs = operations.filter((operation) => isOfKind(operation, SUBGRAPH_KIND))
    const message = `The supergraph cannot be written, because ${id} is a ${kind}. Delete that entry first, or create it under another name.`
    if (subgraphs.length > 0) return { problems: subgraphs.map((operation) => this.#problem(message, operation.id)) }
    return { entry: null, warnings: [] }
  }

  #tooMany(namespace: string, count: number, operations: readonly Operation[]): Problem {
    const message = `${namespace} would have ${count > MAX_SUBGRAPHS + 1 ? 'more than ' : ''}${Math.min(count, MAX_SUBGRAPHS + 1)} subgraphs, and it may have ${MAX_SUBGRAPHS}. Delete some, or use another namespace.`
    return this.#problem(message, operations[0]!.id)
  }

  #rejection({ id, message }: CompositionFault, namespace: string): Problem {
    return this.#problem(`${id ?? `The supergraph of ${namespace}`} does not compose: ${message}`, id)
  }

  #refusedBreaking({ id, message }: CompositionFault, namespace: string): Problem {
    const remedy = 'Deprecate first what you remove, or set federation.compose.onBreaking to warn.'
    return this.#problem(`${id ?? namespace} breaks clients of the supergraph: ${message} ${remedy}`, id)
  }

  #problem(message: string, id: EntryId | null): Problem {
    return { code: 'REJECTED', message, participant: this.name, ...(id !== null && { entryId: id }) }
  }
}

function isOfKind({ content, original }: Operation, kind: string): boolean {
  return content?.kind === kind || original?.kind === kind
}

/** The subgraphs of a namespace, and the entry in the place of its supergraph. */
function composedIn(namespace: string): Criteria {
  const is = (root: 'ns' | 'id' | 'kind', value: string): Criteria => ({
    field: { root },
    test: { operator: 'equals', value },
  })
  return allOf([is('ns', namespace), { any: [is('kind', SUBGRAPH_KIND), is('id', supergraphId(namespace))] }])
}

function stateOf(namespace: string, entries: readonly (readonly [EntryId, SealedContent])[]): NamespaceState {
  const place = supergraphId(namespace)
  const subgraphs = entries
    .filter(([id, { kind }]) => kind === SUBGRAPH_KIND && id !== place)
    .sort(([a], [b]) => compareEntryIds(a, b))
  return { subgraphs: new Map(subgraphs), supergraph: new Map(entries).get(place) ?? null }
}

function breakingWarning({ id, message }: CompositionFault, namespace: string): Warning {
  return {
    code: 'BREAKING_CHANGE',
    message: `${id ?? namespace} breaks clients of the supergraph: ${message}`,
    entryId: id,
    entryIds: [],
  }
}

function goneWarning(namespace: string): Warning {
  return {
    code: 'BREAKING_CHANGE',
    message: `${namespace} has no subgraph left, so its supergraph is deleted`,
    entryId: supergraphId(namespace),
    entryIds: [],
  }
}
