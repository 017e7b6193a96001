import type { Steps } from '../../core/algorithms/steps.js'

/** Characters that are parsed at once, for about a millisecond. */
const PIECE = 32 * 1024

type Container = unknown[] | Record<string, unknown>

/** A list or object that has begun and not ended. */
interface Frame {
  readonly isArray: boolean
  /** The offset of its bracket. */
  readonly start: number
  /** Its items so far, of those that were parsed already. Null as long as it may be parsed together with its parent. */
  value: Container | null
  /** The offset of the first character that was not parsed yet. */
  rest: number
  /** The offset of the current item. */
  item: number
  /** The key of a child that is parsed by itself. */
  key: string
  /** Whether such a child has just ended, so that only a comma or the end may follow. */
  isAfterChild: boolean
}

/** The text is not JSON. `JSON.parse` says why. */
const INVALID = Symbol('invalid')

/**
 * Parses a long JSON text in steps: the text is cut between items of long lists and objects, and the pieces are parsed
 * by `parsePiece`. `JSON.parse` takes 150 ms for 22 MB, in which nobody else is answered.
 * @returns the value, or undefined if the text is not JSON or has no place to be cut
 */
export function* parseInPieces(
  text: string,
  parsePiece: (piece: string) => unknown,
  pieceLength = PIECE,
): Steps<{ readonly value: unknown } | undefined> {
  try {
    const value = yield* new PieceParser(text, parsePiece, pieceLength).run()
    return value === INVALID ? undefined : { value }
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

class PieceParser {
  readonly #frames: Frame[] = []
  #scanned = 0

  constructor(
    private readonly text: string,
    private readonly parsePiece: (piece: string) => unknown,
    private readonly pieceLength: number,
  ) {}

  *run(): Steps<unknown> {
    const { text } = this
    for (let i = 0; i < text.length; i++) {
      if (i - this.#scanned >= PIECE) {
        this.#scanned = i
        yield
      }
      switch (text.charCodeAt(i)) {
        case 0x22: {
          // "
          let end = this.#endOfString(i + 1)
          while (end < 0) {
            this.#scanned = ~end
            yield
            end = this.#endOfString(~end)
          }
          i = end
          break
        }
        case 0x5b:
        case 0x7b: // [ {
          if (this.#frames.length === 0 && !this.#isBlank(0, i)) return INVALID
          this.#frames.push({
            isArray: text[i] === '[',
            start: i,
            value: null,
            rest: i + 1,
            item: i + 1,
            key: '',
            isAfterChild: false,
          })
          break
        case 0x2c: {
          // ,
          const found = this.#comma(i)
          if (found === 'invalid') return INVALID
          if (found === 'parsed') yield
          break
        }
        case 0x5d:
        case 0x7d: {
          // ] }
          const frame = this.#frames.pop()
          if (frame === undefined || frame.isArray !== (text[i] === ']')) return INVALID
          if (!this.#close(frame, i)) return INVALID
          if (this.#frames.length === 0)
            return frame.value !== null && this.#isBlank(i + 1, text.length) ? frame.value : INVALID
        }
      }
    }
    return INVALID
  }

  /**
   * Returns the offset of the closing quote, or the end of the text. After many escaped quotes, it returns the complement
   * of the offset at which to go on. No generator, because one for each string would take as long as `JSON.parse`.
   */
  #endOfString(start: number): number {
    const { text } = this
    for (let from = start; ; ) {
      const quote = text.indexOf('"', from)
      if (quote < 0) return text.length
      let backslashes = 0
      // Each backslash is looked at once: those before `from` belong to the quote before.
      while (quote - backslashes > from && text.charCodeAt(quote - backslashes - 1) === 0x5c) backslashes++
      if (backslashes % 2 === 0) return quote
      from = quote + 1
      if (from - start >= PIECE) return ~from
    }
  }

  #comma(at: number): 'read' | 'parsed' | 'invalid' {
    const frame = this.#frames[this.#frames.length - 1]
    if (frame === undefined) return 'invalid'
    const isLong = !frame.isAfterChild && at - frame.rest >= this.pieceLength
    if (frame.isAfterChild) {
      if (!this.#isBlank(frame.rest, at)) return 'invalid'
      frame.isAfterChild = false
      frame.rest = at + 1
    } else if (isLong) {
      if (!this.#begin(this.#frames.length - 1)) return 'invalid'
      this.#parse(frame, at)
      frame.rest = at + 1
    }
    frame.item = at + 1
    return isLong ? 'parsed' : 'read'
  }

  /** Gives a frame and those around it a value of their own, and parses what came before in them. */
  #begin(level: number): boolean {
    let first = level
    while (first > 0 && this.#frames[first - 1]!.value === null) first--
    if (this.#frames[first]!.value !== null) return true
    for (let i = first; i <= level; i++) {
      const frame = this.#frames[i]!
      frame.value = frame.isArray ? [] : {}
      if (i > 0 && !this.#leaveOut(this.#frames[i - 1]!, frame)) return false
    }
    return true
  }

  /** Parses the items before a child, and its key. */
  #leaveOut(parent: Frame, child: Frame): boolean {
    if (parent.isAfterChild) return false
    if (parent.item > parent.rest) this.#parse(parent, parent.item - 1)
    const before = this.text.slice(parent.item, child.start).trim()
    if (parent.isArray) return before === ''
    if (!before.endsWith(':')) return false
    const key: unknown = JSON.parse(before.slice(0, -1))
    parent.key = key as string
    return typeof key === 'string'
  }

  #close(frame: Frame, at: number): boolean {
    if (frame.value === null) return true
    if (frame.isAfterChild) {
      if (!this.#isBlank(frame.rest, at)) return false
    } else {
      // A comma came before, so an item must follow.
      this.#parse(frame, at)
    }
    const parent = this.#frames[this.#frames.length - 1]
    if (parent === undefined) return true
    if (parent.isArray) (parent.value as unknown[]).push(frame.value)
    else setKey(parent.value as Record<string, unknown>, parent.key, frame.value)
    parent.rest = at + 1
    parent.isAfterChild = true
    return true
  }

  /** Parses the items up to an offset. @throws SyntaxError */
  #parse(frame: Frame, to: number): void {
    if (this.#isBlank(frame.rest, to)) throw new SyntaxError('An item is missing')
    const items = this.text.slice(frame.rest, to)
    if (frame.isArray) {
      for (const item of this.parsePiece(`[${items}]`) as unknown[]) (frame.value as unknown[]).push(item)
      return
    }
    const object = this.parsePiece(`{${items}}`) as Record<string, unknown>
    for (const key of Object.keys(object)) setKey(frame.value as Record<string, unknown>, key, object[key])
  }

  /** Whether there is only white space, as JSON has it. */
  #isBlank(from: number, to: number): boolean {
    for (let i = from; i < to; i++) {
      const unit = this.text.charCodeAt(i)
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return false
    }
    return true
  }
}

function setKey(object: Record<string, unknown>, key: string, value: unknown): void {
  // An assignment would set the prototype.
  if (key === '__proto__')
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
  else object[key] = value
}
