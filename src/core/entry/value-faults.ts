import { ITEMS_PER_STEP, type Steps } from '../algorithms/steps.js'

/** Why content was not sealed. */
export interface ContentFault {
  readonly code: 'INVALID_ENTRY' | 'TOO_LARGE'
  readonly message: string
}

/** The limits of a value. */
export interface ValueLimits {
  readonly maxDepth: number
  readonly maxEntryBytes: number
}

/** @bound Faults of one entry that are reported. A list of a million bad strings needs no million messages. */
export const MAX_FAULTS = 10

/** A container in the traversal. `keys` are an object's own keys, or null for an array. */
interface Frame {
  readonly container: object
  readonly keys: readonly string[] | null
  readonly size: number
  next: number
}

const UNSTORABLE = /[\u0000\p{Surrogate}]/u

/**
 * Finds the faults of a value that should be JSON, each with its dotted path. It has a stack of its own, so
 * depth costs no call stack. It stops once the value cannot fit: a value that shares one object in many places (YAML's
 * aliases) may be small in memory and huge as text.
 */
export function* valueFaults(
  root: 'meta' | 'data' | 'metadata',
  value: unknown,
  limits: ValueLimits,
): Steps<ContentFault[]> {
  const faults: ContentFault[] = []
  const stack: Frame[] = []
  /** A lower bound of the bytes of the JSON text so far. */
  let leastBytes = 0

  const fault = (message: string) => {
    faults.push({ code: 'INVALID_ENTRY', message: `${shownPath(root, stack)} ${message}` })
  }
  const visit = (item: unknown) => {
    leastBytes += 1
    if (typeof item === 'string') {
      leastBytes += item.length
      if (UNSTORABLE.test(item)) fault(`holds ${unstorable(item)}, which cannot be stored`)
    } else if (typeof item === 'number') {
      if (!Number.isFinite(item)) fault('is a number beyond the range of a double')
    } else if (typeof item === 'object' && item !== null) {
      if (stack.length >= limits.maxDepth) return fault(`is nested more than ${limits.maxDepth} deep`)
      const keys = Array.isArray(item) ? null : isPlain(item) ? Object.keys(item) : undefined
      if (keys === undefined) return fault('is not a JSON value')
      stack.push({ container: item, keys, size: keys === null ? (item as unknown[]).length : keys.length, next: 0 })
    } else if (typeof item === 'symbol') {
      fault(`holds a number that cannot be kept: ${item.description}`)
    } else if (item !== null && typeof item !== 'boolean') {
      fault(`is not a JSON value but ${typeof item}`)
    }
  }

  let visited = 0
  visit(value)
  while (stack.length > 0 && faults.length < MAX_FAULTS) {
    if (++visited % ITEMS_PER_STEP === 0) yield
    if (leastBytes > limits.maxEntryBytes) {
      const message = `${root} takes more than the ${limits.maxEntryBytes} bytes that an entry may take. Make it smaller or split it.`
      return [...faults, { code: 'TOO_LARGE', message }]
    }
    const frame = stack[stack.length - 1]!
    if (frame.next === frame.size) {
      stack.pop()
      continue
    }
    const at = frame.next++
    if (frame.keys === null) {
      visit((frame.container as unknown[])[at])
    } else {
      const key = frame.keys[at]!
      leastBytes += key.length + 3
      if (UNSTORABLE.test(key)) fault(`is under a key with ${unstorable(key)}, which cannot be stored`)
      visit((frame.container as Record<string, unknown>)[key])
    }
  }
  return faults
}

/** Whether it is an object literal of any realm or has no prototype. A Date, a Map or a Buffer is not plain. */
function isPlain(item: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(item)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function unstorable(text: string): string {
  return text.includes('\u0000') ? 'U+0000' : 'a lone surrogate'
}

const SHOWN_KEY = 40
const SHOWN_KEYS = 4

/** The dotted path of the item last visited. Long keys and long paths are cut. */
function shownPath(root: string, stack: readonly Frame[]): string {
  const keys = stack.map((frame) => String(frame.keys === null ? frame.next - 1 : frame.keys[frame.next - 1]))
  const shown = keys.length <= 2 * SHOWN_KEYS ? keys : [...keys.slice(0, SHOWN_KEYS), '…', ...keys.slice(-SHOWN_KEYS)]
  return [root, ...shown.map((key) => readable(key.length > SHOWN_KEY ? `${key.slice(0, SHOWN_KEY - 1)}…` : key))].join(
    '.',
  )
}

/** Replaces what cannot be sent: a message must itself be valid text. */
function readable(key: string): string {
  return key.replace(/[\u0000-\u001f\u007f-\u009f\p{Surrogate}]/gu, '\ufffd')
}
