import { mayHoldInexactNumber } from './inexact-numbers.js'
import { numberFault } from './number-fault.js'

/**
 * @bound Numbers of one JSON text, each refused with a message of its own. A list of a million such numbers needs no
 * million messages.
 */
const MAX_MESSAGES = 1_000

/**
 * Parses JSON like `JSON.parse`, but never rounds: a number that a double cannot hold (`numberFault`) becomes a symbol,
 * described by its fault. Checks of content and criteria refuse symbols and know the place in their own words.
 * @param isSuspect - Whether the text may hold such a number
 * @throws SyntaxError
 */
export function parseExactJson(text: string, isSuspect = mayHoldInexactNumber(text)): unknown {
  return exactJsonParser()(text, isSuspect)
}

/** Returns `parseExactJson` for the pieces of one text, whose numbers are counted together. */
export function exactJsonParser(): (piece: string, isSuspect?: boolean) => unknown {
  let messages = 0
  const substitute = (fault: string) =>
    messages++ < MAX_MESSAGES ? Symbol(fault) : Symbol.for('a number that no double holds')
  return (piece, isSuspect = mayHoldInexactNumber(piece)) => parsed(piece, isSuspect, substitute)
}

/** A text has a number that a double cannot hold. The message names its path. */
export class InexactNumber extends Error {
  override readonly name = 'InexactNumber'
}

/** Parses JSON like `JSON.parse`, but never rounds. @throws SyntaxError. @throws InexactNumber */
export function parseStrictJson(text: string): unknown {
  return parsed(text, mayHoldInexactNumber(text), (fault, path) => {
    throw new InexactNumber(`${path.join('.') || 'the value'} holds a number that cannot be kept: ${fault}`)
  })
}

function parsed(text: string, isSuspect: boolean, substitute: Substitute): unknown {
  const root: unknown[] = [JSON.parse(text)]
  if (isSuspect) new Substitution(text, root, substitute).run()
  return root[0]
}

type Substitute = (fault: string, path: readonly (string | number)[]) => symbol
type Container = Record<string | number, unknown>

/** Walks a valid JSON text and its value together. */
class Substitution {
  /** The containers around the current place. Undefined where a later duplicate key replaced the container. */
  readonly #containers: (Container | undefined)[]
  /** The step within each container: an index, or the offset of a key. */
  readonly #steps: number[] = [0]
  readonly #areArrays: boolean[] = [true]

  constructor(
    readonly text: string,
    root: unknown[],
    readonly substitute: Substitute,
  ) {
    this.#containers = [root as unknown as Container]
  }

  run(): void {
    const { text } = this
    const [steps, areArrays] = [this.#steps, this.#areArrays]
    let isKey = false
    for (let i = 0; i < text.length; i++) {
      switch (text.charCodeAt(i)) {
        case 0x22: // "
          if (isKey) steps[steps.length - 1] = i
          i = endOfString(text, i)
          break
        case 0x2c: // ,
          if (areArrays[areArrays.length - 1]!) steps[steps.length - 1]! += 1
          else isKey = true
          break
        case 0x3a: // :
          isKey = false
          break
        case 0x5b:
        case 0x7b: // [ {
          isKey = text[i] === '{'
          this.#containers.push(this.#current())
          areArrays.push(!isKey)
          steps.push(0)
          break
        case 0x5d:
        case 0x7d: // ] }
          isKey = false
          this.#containers.pop()
          areArrays.pop()
          steps.pop()
          break
        default:
          i = this.#scalar(i)
      }
    }
  }

  /** Returns the offset of the last character of a number, or `start` for any other character. */
  #scalar(start: number): number {
    const { text } = this
    let end = start
    while (isOfNumber(text.charCodeAt(end))) end++
    if (end - start < 5 || text.charCodeAt(start) > 0x39) return Math.max(start, end - 1)
    const fault = numberFault(text.slice(start, end))
    const container = this.#containers[this.#containers.length - 1]
    if (fault !== undefined && container !== undefined) {
      const step = this.#step(this.#steps.length - 1)
      if (Object.hasOwn(container, step)) container[step] = this.substitute(fault, this.#path())
    }
    return end - 1
  }

  #current(): Container | undefined {
    const step = this.#step(this.#steps.length - 1)
    const container = this.#containers[this.#containers.length - 1]
    const value = container !== undefined && Object.hasOwn(container, step) ? container[step] : undefined
    return typeof value === 'object' && value !== null ? (value as Container) : undefined
  }

  #step(level: number): string | number {
    const step = this.#steps[level]!
    if (this.#areArrays[level]!) return step
    return JSON.parse(this.text.slice(step, endOfString(this.text, step) + 1)) as string
  }

  #path(): readonly (string | number)[] {
    return this.#steps.slice(1).map((_, index) => this.#step(index + 1))
  }
}

/** The offset of a string's closing quote. */
function endOfString(text: string, start: number): number {
  let i = start + 1
  for (;;) {
    const unit = text.charCodeAt(i)
    if (unit === 0x22) return i
    i += unit === 0x5c ? 2 : 1
  }
}

/** Whether it is one of `0123456789+-.eE`. */
function isOfNumber(unit: number): boolean {
  return (unit >= 0x30 && unit <= 0x39) || unit === 0x2d || unit === 0x2e || (unit | 0x20) === 0x65 || unit === 0x2b
}
