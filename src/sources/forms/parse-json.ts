import { partitionPoint } from '../../core/algorithms/partition-point.js'
import type { Json } from '../../core/entry/json.js'
import { numberFault } from '../../core/entry/number-fault.js'
import type { Fault, ParsedText, Position, SourceDocument, SourcePath } from './source-document.js'
import { MAX_DEPTH, POSITION_DEPTH, pathKey, setOwn, sourceDocument } from './source-document.js'

/** @bound Faults of one JSON file that are reported. */
const MAX_FAULTS = 20

/** Parses one JSON document. A duplicate key is a fault, because JSON.parse would silently drop the first one. */
export function parseJson(text: string): ParsedText {
  const content = withoutMarks(text)
  const result = parseOne(content, lineIndex(content))
  return 'message' in result ? { documents: [], faults: [result] } : { documents: [result], faults: [] }
}

/** Parses one document per line and skips empty lines. A fault in a line does not stop the others. */
export function parseJsonLines(text: string): ParsedText {
  const documents: SourceDocument[] = []
  const faults: Fault[] = []
  text.split('\n').forEach((line, index) => {
    const content = withoutMarks(line)
    if (content.trim() === '') return
    const result = parseOne(content, (offset) => ({ line: index + 1, column: offset + 1 }))
    if (!('message' in result)) documents.push(result)
    else if (faults.length < MAX_FAULTS) faults.push(result)
  })
  return { documents, faults }
}

/** Concatenated files have byte order marks at the beginning of each document. */
function withoutMarks(text: string): string {
  return text.replace(/^\ufeff+/, '')
}

function parseOne(text: string, at: (offset: number) => Position): SourceDocument | Fault {
  const positions = new Map<string, Position>()
  try {
    const value = new Reader(text, (path, offset) => positions.set(pathKey(path), at(offset))).document()
    return sourceDocument(value, positions)
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error
    return { ...at(error.offset), message: error.message, ...(error.path !== undefined && { path: error.path }) }
  }
}

class JsonFault extends Error {
  constructor(
    message: string,
    readonly offset: number,
    /** The path of a value that is JSON but cannot be used. */
    readonly path?: string,
  ) {
    super(message)
  }
}

const SPACE = /[ \t\n\r]*/y
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y
const WORD = /true|false|null/y
const WORDS: Record<string, Json> = { true: true, false: false, null: null }

/** A reader of our own, because JSON.parse reports no positions of values, and in Node 20 no position of a fault. */
class Reader {
  #offset = 0
  /** The keys and indexes of the current value. */
  readonly #steps: (string | number)[] = []

  constructor(
    readonly text: string,
    readonly found: (path: SourcePath, offset: number) => void,
  ) {}

  document(): Json {
    const value = this.#value([], 0)
    this.#match(SPACE)
    if (this.#offset < this.text.length) this.#fail('unexpected text after the end of the document')
    return value
  }

  #value(path: SourcePath, depth: number): Json {
    this.#match(SPACE)
    const offset = this.#offset
    const first = this.text[offset]
    // Scalars two levels down are the kind and id of an entry, whose position is enough.
    if (depth < POSITION_DEPTH || (depth === POSITION_DEPTH && first === '{')) this.found(path, offset)
    if (depth > MAX_DEPTH) this.#fail(`nested deeper than ${MAX_DEPTH} levels`)
    if (first === '{') return this.#object(path, depth)
    if (first === '[') return this.#array(path, depth)
    if (first === '"') return this.#string()
    const word = this.#match(WORD)
    if (word !== undefined) return WORDS[word]!
    const number = this.#match(NUMBER)
    if (number === undefined) return this.#fail('expected a value')
    const fault = numberFault(number)
    if (fault !== undefined) throw new JsonFault(fault, offset, this.#steps.join('.'))
    return Number(number)
  }

  #object(path: SourcePath, depth: number): Json {
    const object: Record<string, Json> = {}
    const seen = new Set<string>()
    this.#items('}', () => {
      const offset = this.#offset
      const key = this.#string()
      if (seen.has(key)) throw new JsonFault(`duplicate key ${JSON.stringify(key)}`, offset, this.#steps.join('.'))
      seen.add(key)
      if (!this.#take(':')) this.#fail('expected a colon')
      this.#steps.push(key)
      setOwn(object, key, this.#value(depth < POSITION_DEPTH ? [...path, key] : path, depth + 1))
      this.#steps.pop()
    })
    return object
  }

  #array(path: SourcePath, depth: number): Json {
    const array: Json[] = []
    this.#items(']', () => {
      this.#steps.push(array.length)
      array.push(this.#value(depth < POSITION_DEPTH ? [...path, array.length] : path, depth + 1))
      this.#steps.pop()
    })
    return array
  }

  /** Reads the items between two brackets. */
  #items(end: string, item: () => void): void {
    this.#offset++
    if (this.#take(end)) return
    do {
      this.#match(SPACE)
      item()
    } while (this.#take(','))
    if (!this.#take(end)) this.#fail(`expected a comma or ${end}`)
  }

  #string(): string {
    const literal = this.#match(STRING)
    if (literal === undefined)
      this.#fail('expected text in double quotes; it is missing, not closed, or has an invalid escape')
    return JSON.parse(literal) as string
  }

  #take(character: string): boolean {
    this.#match(SPACE)
    if (this.text[this.#offset] !== character) return false
    this.#offset++
    return true
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#offset
    const match = pattern.exec(this.text)?.[0]
    this.#offset += match?.length ?? 0
    return match
  }

  #fail(message: string): never {
    throw new JsonFault(message, this.#offset)
  }
}

/** Maps offsets to lines by binary search, because a list of 100,000 entries needs as many lookups. */
function lineIndex(text: string): (offset: number) => Position {
  const starts = [0]
  for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) starts.push(i + 1)
  return (offset) => {
    const line = partitionPoint(starts, (start) => start <= offset)
    return { line, column: offset - starts[line - 1]! + 1 }
  }
}
