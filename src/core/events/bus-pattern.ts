/** A bus pattern that does not parse. */
export class InvalidBusPattern extends Error {
  override readonly name = 'InvalidBusPattern'
}

export type MatchBusPattern = (text: string) => boolean

/**
 * @bound Characters of a bus pattern, far more than people write by hand. Matching costs at most this many states per
 * segment.
 */
const LONGEST_PATTERN = 1_000
/** @bound Nesting of groups in a bus pattern. */
const DEEPEST_GROUP = 16

/** The separator before a segment. The first one has none. */
type Separator = 'start' | '.' | ':'
/** The separators by their number within a place. The number 0 means that the pattern has not said it yet. */
const SEPARATORS = { start: 1, '.': 2, ':': 3 } as const satisfies Readonly<Record<Separator, number>>
const AWAITED = 4

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
  return (text) => {
    let places = closure([SEPARATORS.start], nodes)
    for (const { separator, segment } of segmentsOf(text)) {
      const next: number[] = []
      for (const place of places) {
        const node = nodes[Math.floor(place / AWAITED)]!
        if (node.takes === undefined || (node.takes !== null && node.takes !== segment)) continue
        if (place % AWAITED === SEPARATORS[separator] || node.isLoop) next.push(node.to * AWAITED)
      }
      if (next.length === 0) return false
      places = closure(next, nodes)
    }
    for (const place of places) if (Math.floor(place / AWAITED) === nodes.length - 1) return true
    return false
  }
}

function* segmentsOf(text: string): Generator<{ readonly separator: Separator; readonly segment: string }> {
  let separator: Separator = 'start'
  let from = 0
  for (const { index, 0: next } of text.matchAll(/[.:]/g)) {
    yield { separator, segment: text.slice(from, index) }
    separator = next as Separator
    from = index + 1
  }
  yield { separator, segment: text.slice(from) }
}

interface Node {
  /** The segment that leads to `to`: null for any, undefined for none. */
  readonly takes: string | null | undefined
  readonly to: number
  /** Within `**`, after its first segment: takes a segment after any separator. */
  readonly isLoop: boolean
  /** The separator that is awaited from here on, unless one is already. */
  readonly separator: Separator | null
  /** Nodes that are reached without a segment. */
  readonly free: number[]
}

/**
 * All places that are reached without a segment. A place in the pattern is the number of its node times `AWAITED`, plus
 * the number of the separator before the next segment. Numbers, because objects with text keys took 1.5 times
 * as long. Where `**` stands for nothing, the separator before it goes on to apply: `a:**.b` matches `a:b`.
 */
function closure(from: readonly number[], nodes: readonly Node[]): Set<number> {
  const reached = new Set<number>(from)
  // Iterating a set includes the members added meanwhile.
  for (const place of reached) {
    const { free, separator } = nodes[Math.floor(place / AWAITED)]!
    const awaited = place % AWAITED || (separator === null ? 0 : SEPARATORS[separator])
    for (const node of free) reached.add(node * AWAITED + awaited)
  }
  return reached
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
    for (;;) {
      this.#segment(depth, from)
      const separator = this.pattern[this.#at]
      if (separator !== '.' && separator !== ':') return
      this.#add({ separator, isFree: true })
      this.#at++
    }
  }

  #segment(depth: number, from: number): void {
    if (this.pattern[this.#at] === '(') return this.#group(depth + 1)
    const [text] = /^[^.:()|]*/.exec(this.pattern.slice(this.#at))!
    if (text === '' && !this.#isWithinName(from)) throw this.#fault('a segment is empty')
    this.#at += text.length
    if (text === '**') this.#anyNumber()
    else if (text === '*') this.#add({ takes: null })
    else if (text.includes('*'))
      throw this.#fault(`"${text}" has a * beside other characters, but * is a whole segment`)
    else this.#add({ takes: text })
  }

  /** Whether an empty segment is part of a name, as in `app:.env` and `std::vector`, and not of a kind or at an end. */
  #isWithinName(from: number): boolean {
    const [before, after] = [this.pattern[this.#at - 1], this.pattern[this.#at]]
    return this.#at > from && (after === '.' || after === ':') && (before === ':' || after === ':')
  }

  #anyNumber(): void {
    const here = this.#nodes.length
    this.#nodes.push({ takes: null, to: here + 1, isLoop: false, separator: null, free: [here + 2] })
    this.#nodes.push({ takes: null, to: here + 1, isLoop: true, separator: null, free: [here + 2] })
  }

  #group(depth: number): void {
    if (depth > DEEPEST_GROUP) throw this.#fault(`groups are nested more than ${DEEPEST_GROUP} deep`)
    const fork = this.#add({})
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

  /** Adds a node. One that takes a segment leads to the next node, and so does a free one without a segment. */
  #add({
    takes,
    separator = null,
    isFree = false,
  }: {
    takes?: string | null
    separator?: Separator | null
    isFree?: boolean
  }): Node {
    const to = this.#nodes.length + 1
    const node: Node = { takes, to, isLoop: false, separator, free: isFree ? [to] : [] }
    this.#nodes.push(node)
    return node
  }

  #fault(why: string): InvalidBusPattern {
    return new InvalidBusPattern(
      `"${this.pattern.slice(0, 100)}" is not a bus pattern: ${why} (at character ${this.#at})`,
    )
  }
}
