/** A bus pattern that does not parse. */
export class InvalidBusPattern extends Error {
  override readonly name = 'InvalidBusPattern'
}

export type MatchBusPattern = (text: string) => boolean

/** @bound Characters of a bus pattern, far more than people write by hand. */
const LONGEST_PATTERN = 1_000
/**
 * @bound Segments, groups and alternatives of a bus pattern with wildcards or groups; `**` and alternatives count twice. The longest id has 768
 * segments, each of which costs a step for each of these at most. So no match takes more than 1 ms (measured: 7 ns a
 * step).
 */
const MAX_NODES = 120
/** @bound Nesting of groups in a bus pattern. */
const DEEPEST_GROUP = 16

/** The separator before a segment. The first one has none. */
type Separator = 'start' | '.' | ':'

/**
 * Compiles a pattern over text whose segments end at dots and colons, such as a kind or an id. `*` is one segment, `**`
 * any number of segments (also none) with any separators between them, `(a|b.c)` one of several patterns. Wildcards and
 * groups are whole segments. Any other character stands for itself, a separator too.
 *
 *   entry.*             entry.create, not entry, not entry.a.b
 *   service.**          service, service.http, service.http.tls
 *   entry.(create|update)
 *   shop:*              shop:cart, not shop:cart.item
 *   shop:**             shop:cart, shop:cart.item, shop:a:b, not shop.sub:cart
 *
 * All states advance together, so the time is at most proportional to pattern times text.
 * @throws InvalidBusPattern saying where and why
 */
export function compileBusPattern(pattern: string): MatchBusPattern {
  const nodes = new PatternReader(pattern).read()
  if (!/[*(]/.test(pattern)) return (text) => text === pattern
  if (nodes.length > MAX_NODES)
    throw new InvalidBusPattern(
      `"${pattern.slice(0, 100)}" is not a bus pattern: it has more than ${MAX_NODES} segments, groups and alternatives. Split it, or use fewer wildcards`,
    )
  const automaton = new Automaton(nodes)
  return (text) => automaton.matches(text)
}

interface Node {
  /** The segment that leads to `to`: null for any, undefined for none. */
  readonly takes: string | null | undefined
  readonly to: number
  /** Within `**`, after its first segment: takes a segment after any separator. */
  readonly isLoop: boolean
  /** The separator before this segment or group. It is awaited from here on, unless one is already. */
  readonly separator: Separator | null
  /** Nodes that are reached without a segment. Each has a higher number. */
  readonly free: number[]
}

/** Where a pattern may be: for each node, the separators that may come before the next segment, as bits. */
const AWAITS = { nothing: 1, start: 2, '.': 4, ':': 8 } as const
const TAKES_ANY = -1
const TAKES_NOTHING = -2
const UNKNOWN_SEGMENT = -3
const DOT = 0x2e
const COLON = 0x3a

/** Runs all states of a pattern at once. Edges without a segment lead to higher nodes, so one pass over them suffices. */
class Automaton {
  /** The segments that the pattern names, by number. */
  readonly #literals = new Map<string, number>()
  /** The fields of the nodes as columns, which halves the time of a match. */
  readonly #takes: Int16Array
  readonly #to: Int16Array
  readonly #isLoop: Uint8Array
  readonly #separators: Uint8Array
  /** Where the list of each node begins in `#free`, and where the last one ends. */
  readonly #freeFrom: Int16Array
  readonly #free: Int16Array
  #places: Uint8Array
  #next: Uint8Array

  constructor(nodes: readonly Node[]) {
    this.#takes = Int16Array.from(nodes, ({ takes }) => this.#numberOf(takes))
    this.#to = Int16Array.from(nodes, ({ to }) => to)
    this.#isLoop = Uint8Array.from(nodes, ({ isLoop }) => (isLoop ? 1 : 0))
    this.#separators = Uint8Array.from(nodes, ({ separator }) => (separator === null ? 0 : AWAITS[separator]))
    this.#free = Int16Array.from(nodes.flatMap(({ free }) => free))
    this.#freeFrom = new Int16Array(nodes.length + 1)
    for (const [i, { free }] of nodes.entries()) this.#freeFrom[i + 1] = this.#freeFrom[i]! + free.length
    this.#places = new Uint8Array(nodes.length)
    this.#next = new Uint8Array(nodes.length)
  }

  matches(text: string): boolean {
    this.#places.fill(0)
    this.#places[0] = AWAITS.start
    let separator: number = AWAITS.start
    let from = 0
    for (let at = 0; at <= text.length; at++) {
      const unit = at === text.length ? DOT : text.charCodeAt(at)
      if (unit !== DOT && unit !== COLON) continue
      if (!this.#take(this.#literals.get(text.slice(from, at)) ?? UNKNOWN_SEGMENT, separator)) return false
      separator = unit === DOT ? AWAITS['.'] : AWAITS[':']
      from = at + 1
    }
    this.#take(UNKNOWN_SEGMENT, 0)
    // The places before that segment, which were completed meanwhile.
    return this.#next.at(-1) !== 0
  }

  /**
   * Takes a segment after a separator. Returns whether any place is left. Where `**` stands for nothing, the separator
   * before it goes on to apply: `a:**.b` matches `a:b`.
   */
  #take(segment: number, separator: number): boolean {
    const places = this.#places
    const next = this.#next
    const [takes, to, isLoop, separators] = [this.#takes, this.#to, this.#isLoop, this.#separators]
    const [freeFrom, free] = [this.#freeFrom, this.#free]
    next.fill(0)
    let isAnywhere = false
    for (let node = 0; node < places.length; node++) {
      let awaited = places[node]!
      if (awaited === 0) continue
      if ((awaited & AWAITS.nothing) !== 0 && separators[node] !== 0)
        awaited = (awaited & ~AWAITS.nothing) | separators[node]!
      for (let edge = freeFrom[node]!, end = freeFrom[node + 1]!; edge < end; edge++) places[free[edge]!]! |= awaited
      const taken = takes[node]!
      if (taken !== TAKES_ANY && taken !== segment) continue
      if ((awaited & separator) === 0 && isLoop[node] === 0) continue
      next[to[node]!]! |= AWAITS.nothing
      isAnywhere = true
    }
    this.#places = next
    this.#next = places
    return isAnywhere
  }

  #numberOf(takes: Node['takes']): number {
    if (takes === null) return TAKES_ANY
    if (takes === undefined) return TAKES_NOTHING
    const known = this.#literals.get(takes)
    if (known !== undefined) return known
    this.#literals.set(takes, this.#literals.size)
    return this.#literals.size - 1
  }
}

class PatternReader {
  readonly #nodes: Node[] = []
  #at = 0

  constructor(private readonly pattern: string) {}

  read(): readonly Node[] {
    if (this.pattern.length > LONGEST_PATTERN) throw this.#fault(`it has more than ${LONGEST_PATTERN} characters`)
    this.#alternative(0)
    if (this.#at < this.pattern.length) throw this.#fault(`"${this.pattern[this.#at]}" is where a segment should end`)
    this.#add({})
    return this.#nodes
  }

  /** Reads segments up to the end, `|` or `)`. */
  #alternative(depth: number): void {
    const from = this.#at
    for (let separator: Separator | null = null; ; this.#at++) {
      this.#segment(depth, from, separator)
      const next = this.pattern[this.#at]
      if (next !== '.' && next !== ':') return
      separator = next
    }
  }

  #segment(depth: number, from: number, separator: Separator | null): void {
    if (this.pattern[this.#at] === '(') return this.#group(depth + 1, separator)
    this.#skipRepeatedRuns()
    const [text] = /^[^.:()|]*/.exec(this.pattern.slice(this.#at))!
    if (text === '' && !this.#isWithinName(from)) throw this.#fault('a segment is empty')
    this.#at += text.length
    if (text === '**') this.#anyNumber(separator)
    else if (text === '*') this.#add({ takes: null, separator })
    else if (text.includes('*'))
      throw this.#fault(`"${text}" has a * beside other characters, but * is a whole segment`)
    else this.#add({ takes: text, separator })
  }

  /** Skips all but the last `**` of `**.**.**`, which means the same if the next separator is the same, too. */
  #skipRepeatedRuns(): void {
    while (this.pattern.startsWith('**', this.#at)) {
      const separator = this.pattern[this.#at + 2]
      if ((separator !== '.' && separator !== ':') || !this.pattern.startsWith('**', this.#at + 3)) return
      const after = this.pattern[this.#at + 5]
      if (after !== separator && after !== undefined) return
      this.#at += 3
    }
  }

  /** Whether an empty segment is part of a name, as in `app:.env` and `std::vector`, and not of a kind or at an end. */
  #isWithinName(from: number): boolean {
    const [before, after] = [this.pattern[this.#at - 1], this.pattern[this.#at]]
    return this.#at > from && (after === '.' || after === ':') && (before === ':' || after === ':')
  }

  #anyNumber(separator: Separator | null): void {
    const here = this.#nodes.length
    this.#nodes.push({ takes: null, to: here + 1, isLoop: false, separator, free: [here + 2] })
    this.#nodes.push({ takes: null, to: here + 1, isLoop: true, separator: null, free: [here + 2] })
  }

  #group(depth: number, separator: Separator | null): void {
    if (depth > DEEPEST_GROUP) throw this.#fault(`groups are nested more than ${DEEPEST_GROUP} deep`)
    const fork = this.#add({ separator })
    const ends: Node[] = []
    do {
      this.#at++
      fork.free.push(this.#nodes.length)
      this.#alternative(depth)
      ends.push(this.#add({}))
    } while (this.pattern[this.#at] === '|')
    if (this.pattern[this.#at] !== ')') throw this.#fault('a ( has no matching )')
    this.#at++
    for (const end of ends) end.free.push(this.#nodes.length)
  }

  /** Adds a node. One that takes a segment leads to the next node. */
  #add({ takes, separator = null }: { takes?: string | null; separator?: Separator | null }): Node {
    const node: Node = { takes, to: this.#nodes.length + 1, isLoop: false, separator, free: [] }
    this.#nodes.push(node)
    return node
  }

  #fault(why: string): InvalidBusPattern {
    return new InvalidBusPattern(
      `"${this.pattern.slice(0, 100)}" is not a bus pattern: ${why} (at character ${this.#at})`,
    )
  }
}
