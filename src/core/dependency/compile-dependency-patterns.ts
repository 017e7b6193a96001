import { sortInSteps } from '../algorithms/sort-in-steps.js'
import { ITEMS_PER_STEP, runAtOnce, type Steps } from '../algorithms/steps.js'
import type { Content } from '../entry/entry.js'
import type { EntryId } from '../entry/entry-id.js'
import { isJsonObject, type Json } from '../entry/json.js'
import { compareText } from '../entry/text.js'
import type { DependencyPattern, ExtractReferences, Reference, ReferenceTarget } from './reference.js'
import { referenceTarget } from './reference-target.js'

/** A node of the trie of patterns. Each place of a content is visited once, with all patterns that may match there. */
interface Node {
  readonly literals: Map<string, Node>
  readonly wildcards: Wildcard[]
  /** Some pattern ends here. */
  ends: boolean
}

interface Wildcard {
  readonly prefix: string
  readonly suffix: string
  readonly node: Node
}

/**
 * Compiles patterns to a function that extracts the references of an entry.
 * @throws Error naming the pattern that does not parse, and why
 */
export function compileDependencyPatterns(patterns: readonly DependencyPattern[]): ExtractReferences {
  const root = emptyNode()
  for (const pattern of patterns) addPattern(root, pattern)
  const meta = root.literals.get('meta')
  const data = root.literals.get('data')

  function* visit(content: Content, found: FoundStrings): Steps<void> {
    if (meta !== undefined) yield* walk([meta], content.meta, 'meta', found)
    if (data !== undefined) yield* walk([data], content.data, 'data', found)
  }
  function* inSteps(id: EntryId, content: Content): Steps<readonly Reference[]> {
    const found = new FoundReferences(id)
    yield* visit(content, found)
    return yield* found.sorted()
  }
  function* targets(id: EntryId, content: Content): Steps<readonly ReferenceTarget[]> {
    const found = new FoundTargets(id)
    yield* visit(content, found)
    return found.targets
  }
  return Object.assign((id: EntryId, content: Content) => runAtOnce(inSteps(id, content)), { inSteps, targets })
}

function emptyNode(): Node {
  return { literals: new Map(), wildcards: [], ends: false }
}

function addPattern(root: Node, pattern: DependencyPattern): void {
  const segments = pattern.path.split('.')
  const fail = (why: string): never => {
    throw new Error(`dependency pattern "${pattern.path}": ${why}`)
  }
  if (segments[0] !== 'meta' && segments[0] !== 'data') fail('it begins with neither "meta" nor "data"')
  let node = root
  for (const segment of segments) {
    if (segment === '') fail('a segment is empty')
    const [prefix, suffix, ...more] = pattern.allowWildcard === true ? segment.split('*') : [segment]
    if (more.length > 0) fail(`the segment "${segment}" has more than one *`)
    node = suffix === undefined ? literalChild(node, segment) : wildcardChild(node, prefix!, suffix)
  }
  node.ends = true
}

function literalChild(node: Node, segment: string): Node {
  const known = node.literals.get(segment)
  if (known !== undefined) return known
  const child = emptyNode()
  node.literals.set(segment, child)
  return child
}

function wildcardChild(node: Node, prefix: string, suffix: string): Node {
  const known = node.wildcards.find((wildcard) => wildcard.prefix === prefix && wildcard.suffix === suffix)
  if (known !== undefined) return known.node
  const child = emptyNode()
  node.wildcards.push({ prefix, suffix, node: child })
  return child
}

/** Receives each string at a place that a pattern names. */
interface FoundStrings {
  /** `key` is the last segment of the place below `path`; null if the place is `path` itself. */
  add(path: string, key: string | number | null, text: string): void
}

/** Recurses no deeper than the longest pattern. */
function* walk(nodes: readonly Node[], value: Json, path: string, found: FoundStrings): Steps<void> {
  const ends = nodes.some((node) => node.ends)
  if (typeof value === 'string') {
    if (ends) found.add(path, null, value)
    return
  }
  if (typeof value !== 'object' || value === null) return
  let visited = 0

  if (!isJsonObject(value)) {
    const next = nodes.flatMap((node) => node.wildcards.map((wildcard) => wildcard.node))
    const isNamed = ends || next.some((node) => node.ends)
    if (!ends && next.length === 0) return
    for (const [i, item] of value.entries()) {
      if (typeof item === 'string') {
        if (isNamed) found.add(path, i, item)
      } else if (next.length > 0 && typeof item === 'object') yield* walk(next, item, `${path}.${i}`, found)
      if (++visited % ITEMS_PER_STEP === 0) yield
    }
    return
  }
  // Where only literals can match, a few lookups are enough, however large the object is.
  const seesAll = ends || nodes.some((node) => node.wildcards.length > 0)
  for (const key of seesAll ? Object.keys(value) : literalsOf(nodes)) {
    if (!seesAll && !Object.hasOwn(value, key)) continue
    const item = value[key]!
    const next = children(nodes, key)
    if (typeof item === 'string') {
      if (ends || next.some((node) => node.ends)) found.add(path, key, item)
    } else if (next.length > 0 && typeof item === 'object') yield* walk(next, item, `${path}.${key}`, found)
    if (++visited % ITEMS_PER_STEP === 0) yield
  }
}

function literalsOf(nodes: readonly Node[]): Iterable<string> {
  return nodes.length === 1 ? nodes[0]!.literals.keys() : new Set(nodes.flatMap((node) => [...node.literals.keys()]))
}

function children(nodes: readonly Node[], key: string): readonly Node[] {
  const next: Node[] = []
  for (const node of nodes) {
    const literal = node.literals.get(key)
    if (literal !== undefined) next.push(literal)
    for (const { prefix, suffix, node: child } of node.wildcards) {
      if (key.length >= prefix.length + suffix.length && key.startsWith(prefix) && key.endsWith(suffix))
        next.push(child)
    }
  }
  return next
}

class FoundReferences implements FoundStrings {
  readonly #byPath = new Map<string, Reference>()

  constructor(private readonly source: EntryId) {}

  add(parent: string, key: string | number | null, reference: string): void {
    const path = key === null ? parent : `${parent}.${key}`
    // Keys may have dots, so two places may have the same path (`{a: {b}}` and `{"a.b"}`). The later one gets a number.
    let free = path
    for (let n = 2; this.#byPath.has(free); n++) free = `${path}#${n}`
    this.#byPath.set(free, { path: free, reference, target: referenceTarget(this.source, reference) })
  }

  *sorted(): Steps<readonly Reference[]> {
    return yield* sortInSteps([...this.#byPath.values()], (a, b) => compareText(a.path, b.path))
  }
}

class FoundTargets implements FoundStrings {
  readonly targets: ReferenceTarget[] = []
  readonly #seen = new Set<string>()

  constructor(private readonly source: EntryId) {}

  add(_parent: string, _key: string | number | null, reference: string): void {
    if (this.#seen.has(reference)) return
    this.#seen.add(reference)
    this.targets.push(referenceTarget(this.source, reference))
  }
}
