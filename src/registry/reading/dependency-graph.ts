import { forEachInSteps, type Steps } from '../../core/algorithms/steps.js'
import type { Criteria } from '../../core/criteria/criteria.js'
import { type ExtractReferences, groupsOf, type ReferenceTarget, targetKey } from '../../core/dependency/reference.js'
import type { EntryRevision } from '../../core/entry/entry.js'
import { compareEntryIds, type EntryId, namespaceOf } from '../../core/entry/entry-id.js'
import { compareText } from '../../core/entry/text.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import { inSlices } from '../../store/coalescing/time-slices.js'
import type { HistoryReader, ReadAt, ReferenceRow } from '../../store/contract/history-reader.js'
import { entryBytes } from '../../store/planning/content-size.js'
import { ReferencesAt } from './references-at.js'

export const DEPENDENCY_DIRECTIONS = ['DEPENDENCIES', 'DEPENDENTS', 'BOTH'] as const
export type DependencyDirection = (typeof DEPENDENCY_DIRECTIONS)[number]

export interface DependencyNode {
  readonly entry: EntryRevision
  /** Number of references from the root, which is 0 itself. */
  readonly depth: number
}

export interface DependencyEdge {
  readonly source: EntryId
  /** Null if the reference dangles. */
  readonly target: EntryId | null
  readonly path: string
  readonly reference: string
}

export interface DependencyGraph {
  readonly revision: number
  /** By depth, then by id. */
  readonly nodes: readonly DependencyNode[]
  /** Edges between the nodes, and dangling ones, by source, then by place, then by target. */
  readonly edges: readonly DependencyEdge[]
  /** Whether anything is or may be left out because of the depth or of a bound. */
  readonly truncated: boolean
}

/** @bound Steps from the root of a dependency graph. */
export const MAX_GRAPH_DEPTH = 100
/** @bound Entries in a dependency graph. */
export const MAX_GRAPH_NODES = 10_000
/** @bound References in a dependency graph. */
export const MAX_GRAPH_EDGES = 50_000
/** @bound Size of the contents that are searched for one dependency graph. */
const MAX_GRAPH_BYTES = 64 * 1024 * 1024
/** @bound Entries that one statement reads for a dependency graph. */
const ENTRIES_AT_ONCE = 500
/** @bound Groups that one statement searches for a dependency graph. */
const GROUPS_AT_ONCE = 1_000

/**
 * Walks the dependencies or dependents of an entry breadth first, with a few statements a level. Null if there is no such entry at
 * that revision. A graph that would become too large is truncated.
 * @throws RegistryError BAD_USER_INPUT if the depth is not 0 to 100, TOO_LARGE for dependents at a revision after which too much changed
 */
export async function dependencyGraph(
  history: HistoryReader,
  references: ExtractReferences,
  root: EntryId,
  depth: number,
  direction: DependencyDirection,
  revision: number,
): Promise<DependencyGraph | null> {
  if (!(depth >= 0 && depth <= MAX_GRAPH_DEPTH)) {
    throw new RegistryError('BAD_USER_INPUT', `depth is ${depth}. It must be 0 to ${MAX_GRAPH_DEPTH}.`)
  }
  const walk = new Walk(history, references, revision)
  return (await walk.begin(root)) ? walk.run(depth, direction) : null
}

class Walk {
  readonly #nodes = new Map<EntryId, DependencyNode>()
  readonly #edges = new Map<string, DependencyEdge>()
  /** Entries that were searched and do not exist. */
  readonly #absent = new Set<EntryId>()
  readonly #at: ReadAt
  readonly #dependents: ReferencesAt
  #bytes = 0
  #truncated = false
  /** Entries found at this level, from which the next one starts. */
  #found = new Map<EntryId, EntryRevision>()

  constructor(
    private readonly history: HistoryReader,
    private readonly references: ExtractReferences,
    private readonly revision: number,
  ) {
    this.#at = history.hasHistory ? revision : 'head'
    this.#dependents = new ReferencesAt(history, references, revision)
  }

  async begin(root: EntryId): Promise<boolean> {
    const entry = (await this.history.entries([root], this.#at)).get(root)
    if (entry !== undefined) this.#nodes.set(root, { entry, depth: 0 })
    return entry !== undefined
  }

  async run(depth: number, direction: DependencyDirection): Promise<DependencyGraph> {
    let level = [...this.#nodes.values()].map(({ entry }) => entry)
    // The last level is walked too: for references between its members, and to find out whether the graph continues.
    for (let reached = 0; level.length > 0 && !this.#isFull; reached++) {
      this.#found = new Map()
      const edges = [
        ...(direction === 'DEPENDENTS' ? [] : await this.#dependenciesOf(level)),
        ...(direction === 'DEPENDENCIES' ? [] : await this.#dependentsOf(level)),
      ]
      const found = [...this.#found.values()].sort((a, b) => compareEntryIds(a.id, b.id))
      level = reached < depth ? found.slice(0, MAX_GRAPH_NODES - this.#nodes.size) : []
      if (level.length < found.length) this.#truncated = true
      for (const entry of level) this.#nodes.set(entry.id, { entry, depth: reached + 1 })
      for (const edge of edges) this.#connect(edge)
    }
    if (level.length > 0) this.#truncated = true
    return {
      revision: this.revision,
      nodes: [...this.#nodes.values()],
      edges: [...this.#edges.values()].sort(compareEdges),
      truncated: this.#truncated,
    }
  }

  get #isFull(): boolean {
    return this.#edges.size >= MAX_GRAPH_EDGES || this.#nodes.size >= MAX_GRAPH_NODES || this.#bytes > MAX_GRAPH_BYTES
  }

  #connect(edge: DependencyEdge): void {
    if (!this.#nodes.has(edge.source) || (edge.target !== null && !this.#nodes.has(edge.target))) return
    const key = JSON.stringify([edge.source, edge.path, edge.target])
    if (this.#edges.has(key)) return
    if (this.#edges.size < MAX_GRAPH_EDGES) this.#edges.set(key, edge)
    else this.#truncated = true
  }

  async #dependenciesOf(level: readonly EntryRevision[]): Promise<readonly DependencyEdge[]> {
    const rows = this.#bounded(await inSlices(referencesIn(level, this.references)))
    await this.#read(rows.flatMap(({ target }) => (target.type === 'entry' ? [target.id] : [])))
    const members = await this.#membersOf(new Map(rows.map(({ target }) => [targetKey(target), target])))
    return this.#bounded(
      rows.flatMap(({ source, path, reference, target }): DependencyEdge[] => {
        if (target.type === 'entry') {
          const isThere = !this.#absent.has(target.id)
          return [{ source, path, reference, target: isThere ? target.id : null }]
        }
        const found = (members.get(targetKey(target)) ?? []).filter((id) => id !== source)
        return found.length === 0
          ? [{ source, path, reference, target: null }]
          : found.map((id) => ({ source, path, reference, target: id }))
      }),
    )
  }

  async #dependentsOf(level: readonly EntryRevision[]): Promise<readonly DependencyEdge[]> {
    const named = new Map<string, { target: ReferenceTarget; ids: EntryId[] }>()
    for (const { id, content } of level) {
      const targets: ReferenceTarget[] = [
        { type: 'entry', id },
        { type: 'namespace', namespace: namespaceOf(id) },
        ...groupsOf(content).map((group) => ({ type: 'group', group }) as const),
      ]
      for (const target of targets) {
        const known = named.get(targetKey(target))
        if (known === undefined) named.set(targetKey(target), { target, ids: [id] })
        else known.ids.push(id)
      }
    }
    const rows = this.#bounded(
      await this.#dependents.to(
        [...named.values()].map(({ target }) => target),
        MAX_GRAPH_EDGES + 1,
      ),
    )
    await this.#read(rows.map(({ source }) => source))
    return this.#bounded(
      rows.flatMap(({ source, path, reference, target }) =>
        named
          .get(targetKey(target))!
          .ids.filter((id) => id !== source || target.type === 'entry')
          .map((id) => ({ source, path, reference, target: id })),
      ),
    )
  }

  #bounded<Item>(items: readonly Item[]): readonly Item[] {
    if (items.length <= MAX_GRAPH_EDGES) return items
    this.#truncated = true
    return items.slice(0, MAX_GRAPH_EDGES)
  }

  /** Reads entries that are not known yet, the smallest ids first. */
  async #read(ids: readonly EntryId[]): Promise<void> {
    const isUnknown = (id: EntryId) => !this.#nodes.has(id) && !this.#found.has(id) && !this.#absent.has(id)
    const wanted = [...new Set(ids)].filter(isUnknown).sort(compareEntryIds)
    for (let i = 0; i < wanted.length; i += ENTRIES_AT_ONCE) {
      if (this.#isOverfull) {
        this.#truncated = true
        return
      }
      const chunk = wanted.slice(i, i + ENTRIES_AT_ONCE)
      const entries = await this.history.entries(chunk, this.#at)
      for (const id of chunk) {
        const entry = entries.get(id)
        if (entry === undefined) this.#absent.add(id)
        else this.#add(entry)
      }
    }
  }

  /** Returns the members of namespaces and groups, the smallest ids first. */
  async #membersOf(targets: ReadonlyMap<string, ReferenceTarget>): Promise<Map<string, EntryId[]>> {
    const members = new Map<string, EntryId[]>()
    const namespaces = [...targets.values()].flatMap((target) =>
      target.type === 'namespace' ? [target.namespace] : [],
    )
    const groups = [...targets.values()].flatMap((target) => (target.type === 'group' ? [target.group] : []))
    const add = (target: ReferenceTarget, id: EntryId) => {
      const key = targetKey(target)
      const known = members.get(key)
      if (known === undefined) members.set(key, [id])
      else known.push(id)
    }
    const inNamespaces: Criteria = { field: { root: 'ns' }, test: { operator: 'in', values: namespaces } }
    if (namespaces.length > 0)
      await this.#readMatching(inNamespaces, ({ id }) => add({ type: 'namespace', namespace: namespaceOf(id) }, id))
    for (let i = 0; i < groups.length; i += GROUPS_AT_ONCE) {
      const asked = new Set(groups.slice(i, i + GROUPS_AT_ONCE))
      const inGroups: Criteria = {
        any: [...asked].map((group) => ({
          field: { meta: 'groups' },
          test: { operator: 'holdsAll', values: [group] },
        })),
      }
      await this.#readMatching(inGroups, ({ id, content }) => {
        for (const group of groupsOf(content)) if (asked.has(group)) add({ type: 'group', group }, id)
      })
    }
    return members
  }

  async #readMatching(criteria: Criteria, saw: (entry: EntryRevision) => void): Promise<void> {
    let after: { id: EntryId; revision: number } | null = null
    for (let read = 0; ; read += ENTRIES_AT_ONCE) {
      if (read > MAX_GRAPH_NODES || this.#isOverfull) {
        this.#truncated = true
        return
      }
      const page = { limit: ENTRIES_AT_ONCE, after, before: null, fromEnd: false }
      const { items, hasMore } = await this.history.findEntries(criteria, 'ID_ASC', page, this.#at)
      for (const entry of items) {
        saw(entry)
        if (!this.#nodes.has(entry.id)) this.#add(entry)
      }
      if (!hasMore) return
      after = items.at(-1)!
    }
  }

  #add(entry: EntryRevision): void {
    if (this.#found.has(entry.id)) return
    this.#found.set(entry.id, entry)
    this.#bytes += entryBytes(entry)
  }

  /** Whether enough was found at this level to fill the graph. */
  get #isOverfull(): boolean {
    return this.#bytes > MAX_GRAPH_BYTES || this.#nodes.size + this.#found.size > MAX_GRAPH_NODES
  }
}

/** The references of entries, one more than a graph may have. */
function* referencesIn(level: readonly EntryRevision[], references: ExtractReferences): Steps<ReferenceRow[]> {
  const rows: ReferenceRow[] = []
  for (const { id: source, content } of level) {
    const found = yield* references.inSteps(source, content)
    yield* forEachInSteps(found, (reference) => rows.push({ source, ...reference }))
    if (rows.length > MAX_GRAPH_EDGES) break
    yield
  }
  return rows
}

function compareEdges(a: DependencyEdge, b: DependencyEdge): number {
  if (a.source !== b.source) return compareEntryIds(a.source, b.source)
  return compareText(a.path, b.path) || compareText(a.target ?? '', b.target ?? '')
}
