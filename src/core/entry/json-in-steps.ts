import { sortInSteps } from '../algorithms/sort-in-steps.js'
import { ITEMS_PER_STEP, type Steps } from '../algorithms/steps.js'
import { canonicalJson } from './canonical-json.js'
import { isJsonObject, type Json, type JsonObject } from './json.js'
import { jsonText } from './negative-zero.js'

/*
 * Printing 1 MiB of JSON takes up to 100 ms: it may hold 340,000 empty lists or 100,000 keys. So large values are printed
 * in steps, with a stack of their own. Small ones are printed at once, twice as fast.
 */

/** Values in a JSON value that is printed at once. */
const FEW_VALUES = 4_000
/** Characters of such a value. */
const FEW_CHARACTERS = 64 * 1024
/** Nesting of such a value. Deeper ones would need much of the call stack. */
const SHALLOW = 100
/** Pieces of text that are joined at once. */
const PIECES_AT_ONCE = 4_096

/** Does the same as `canonicalJson`, in steps and for any depth. */
export function* canonicalJsonInSteps(value: Json): Steps<string> {
  return isSmall(value) ? canonicalJson(value) : yield* printInSteps(value, CANONICAL)
}

/** Does the same as `jsonText`, in steps and for any depth. */
export function* jsonTextInSteps(value: Json): Steps<string> {
  return isSmall(value) ? jsonText(value) : yield* printInSteps(value, AS_SENT)
}

interface Form {
  readonly sortsKeys: boolean
  readonly scalar: (value: Json) => string
}

const CANONICAL: Form = { sortsKeys: true, scalar: (value) => JSON.stringify(value) }
const AS_SENT: Form = {
  sortsKeys: false,
  scalar: (value) => (Object.is(value, -0) ? '-0' : JSON.stringify(value)),
}

/** A container that is being printed. `keys` are an object's, or null for an array. */
interface Frame {
  readonly container: Json
  readonly keys: readonly string[] | null
  readonly size: number
  next: number
}

function isSmall(value: Json): boolean {
  let values = FEW_VALUES
  let characters = FEW_CHARACTERS
  const fits = (item: Json, depth: number): boolean => {
    if (--values < 0 || depth > SHALLOW) return false
    if (typeof item === 'string') return (characters -= item.length) >= 0
    if (typeof item !== 'object' || item === null) return true
    if (!isJsonObject(item)) return item.length <= values && item.every((element) => fits(element, depth + 1))
    for (const key in item) {
      characters -= key.length
      if (characters < 0 || !fits(item[key]!, depth + 1)) return false
    }
    return true
  }
  return fits(value, 0)
}

function* printInSteps(value: Json, { sortsKeys, scalar }: Form): Steps<string> {
  const chunks: string[] = []
  let pieces: string[] = []
  const stack: Frame[] = [{ container: [value], keys: null, size: 1, next: 0 }]
  for (let visited = 1; ; visited++) {
    if (visited % ITEMS_PER_STEP === 0) {
      yield
      if (pieces.length > PIECES_AT_ONCE) {
        chunks.push(pieces.join(''))
        pieces = []
      }
    }
    const frame = stack[stack.length - 1]!
    const at = frame.next++
    if (at === frame.size) {
      stack.pop()
      if (stack.length === 0) break
      pieces.push(frame.keys === null ? ']' : '}')
      continue
    }
    if (at > 0) pieces.push(',')
    let item: Json
    if (frame.keys === null) {
      item = (frame.container as readonly Json[])[at]!
    } else {
      const key = frame.keys[at]!
      pieces.push(JSON.stringify(key), ':')
      item = (frame.container as JsonObject)[key]!
    }
    if (typeof item !== 'object' || item === null) {
      pieces.push(scalar(item))
    } else if (isJsonObject(item)) {
      const keys = Object.keys(item)
      pieces.push('{')
      // By UTF-16 unit, as the RFC requires.
      const sorted = sortsKeys && keys.length > 1 ? yield* sortInSteps(keys, compareByUnit) : keys
      stack.push({ container: item, keys: sorted, size: keys.length, next: 0 })
    } else {
      pieces.push('[')
      stack.push({ container: item, keys: null, size: item.length, next: 0 })
    }
  }
  chunks.push(pieces.join(''))
  return chunks.join('')
}

function compareByUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
