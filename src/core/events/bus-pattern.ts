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

/**
 * Compiles a pattern over dotted text. `*` is one segment, `**` any number of segments (also none), `(a|b.c)` one of
 * several patterns. Wildcards and groups are whole segments. Any other character, also a colon, stands for itself.
 *
 *   entry.*             entry.create, not entry, not entry.a.b
 *   service.**          service, service.http, service.http.tls
 *   entry.(create|update)
 *
 * All states advance together, so the time is at most proportional to pattern times text.
 * @throws InvalidBusPattern saying where and why
 */
export function compileBusPattern(pattern: string): MatchBusPattern {
  const nodes = new PatternReader(pattern).read()
  return (text) => {
    let states = closure([0], nodes)
    for (const segment of text.split('.')) {
      const next: number[] = []
      for (const state of states) {
        const node = nodes[state]!
        if (node.takes === null || node.takes === segment) next.push(...(node.takes === undefined ? [] : [node.to]))
      }
      if (next.length === 0) return false
      states = closure(next, nodes)
    }
    return states.has(nodes.length - 1)
  }
}

/** `takes` is the segment that leads to `to`: null for any, undefined for none. `free` states need no segment. */
interface State {
  readonly takes: string | null | undefined
  readonly to: number
  readonly free: number[]
}

function closure(from: readonly number[], nodes: readonly State[]): Set<number> {
  const reached = new Set<number>(from)
  // Iterating a set includes the members added meanwhile.
  for (const state of reached) for (const free of nodes[state]!.free) reached.add(free)
  return reached
}

class PatternReader {
  readonly #nodes: State[] = []
  #at = 0

  constructor(private readonly pattern: string) {}

  read(): readonly State[] {
    if (this.pattern.length > LONGEST_PATTERN) throw this.#fault(`it has more than ${LONGEST_PATTERN} characters`)
    this.#alternative(0)
    if (this.#at < this.pattern.length) throw this.#fault(`"${this.pattern[this.#at]}" is where a segment should end`)
    this.#add(undefined)
    return this.#nodes
  }

  /** Reads segments up to the end, `|` or `)`. */
  #alternative(depth: number): void {
    for (;;) {
      this.#segment(depth)
      if (this.pattern[this.#at] !== '.') return
      this.#at++
    }
  }

  #segment(depth: number): void {
    if (this.pattern[this.#at] === '(') return this.#group(depth + 1)
    const [text] = /^[^.()|]*/.exec(this.pattern.slice(this.#at))!
    if (text === '') throw this.#fault('a segment is empty')
    this.#at += text.length
    if (text === '**') this.#anyNumber()
    else if (text === '*') this.#add(null)
    else if (text.includes('*'))
      throw this.#fault(`"${text}" has a * beside other characters, but * is a whole segment`)
    else this.#add(text)
  }

  #anyNumber(): void {
    const here = this.#nodes.length
    this.#nodes.push({ takes: null, to: here, free: [here + 1] })
  }

  #group(depth: number): void {
    if (depth > DEEPEST_GROUP) throw this.#fault(`groups are nested more than ${DEEPEST_GROUP} deep`)
    const fork = this.#add(undefined)
    fork.free.length = 0
    const ends: State[] = []
    do {
      this.#at++
      fork.free.push(this.#nodes.length)
      this.#alternative(depth)
      ends.push(this.#add(undefined))
    } while (this.pattern[this.#at] === '|')
    if (this.pattern[this.#at] !== ')') throw this.#fault('a ( has no matching )')
    this.#at++
    for (const end of ends) end.free.push(this.#nodes.length)
  }

  /** Adds a state that leads to the next one. */
  #add(takes: string | null | undefined): State {
    const state: State = { takes, to: this.#nodes.length + 1, free: [] }
    this.#nodes.push(state)
    return state
  }

  #fault(why: string): InvalidBusPattern {
    return new InvalidBusPattern(
      `"${this.pattern.slice(0, 100)}" is not a bus pattern: ${why} (at character ${this.#at})`,
    )
  }
}
