import { runAtOnce } from '../algorithms/steps.js'
import type { EntryId } from './entry-id.js'
import type { Json } from './json.js'
import { jsonText } from './negative-zero.js'
import { utf8Length } from './text.js'
import { type ContentFault, type ValueLimits, valueFaults } from './value-faults.js'

/** A live user of an entry. It lives as long as its holder renews it. */
export interface Instance {
  /** A random UUID in lower case, see `INSTANCE_ID`. Any holder of it may renew and release the instance. */
  readonly id: string
  readonly entryId: EntryId
  /** Unique among the entry's live instances. */
  readonly name: string
  readonly acquiredAt: Date
  /** By the store's clock, like `acquiredAt`. */
  readonly expiresAt: Date
  /** Grows with every instance of the entry's id ever acquired. */
  readonly fencingToken: number
  /** UTF-8 bytes of the metadata's JSON text. */
  readonly metadataBytes: number
}

/** The form of instances' ids. */
export const INSTANCE_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** An instance as its acquisition returns it. */
export interface AcquiredInstance extends Instance {
  /** The JSON text of the metadata; null if there is none. */
  readonly metadataText: string | null
}

/** @bound Length of an instance's name. */
export const MAX_INSTANCE_NAME_BYTES = 255
/** Limits of the time to live, in seconds. */
export const TTL = { least: 1, most: 86_400 } as const

const CONTROL = /[\u0000-\u001f\u007f-\u009f]/
const EDGE_SPACE = /^\s|\s$/u
const LONE_SURROGATE = /\p{Surrogate}/u

/** The fault of an instance's name; undefined if it is valid. */
export function instanceNameFault(name: string): string | undefined {
  if (name === '') return 'it is empty'
  if (EDGE_SPACE.test(name)) return 'it begins or ends with white space'
  if (CONTROL.test(name)) return 'it has a control character'
  if (LONE_SURROGATE.test(name)) return 'it has a lone surrogate'
  const bytes = utf8Length(name)
  return bytes > MAX_INSTANCE_NAME_BYTES
    ? `it has ${bytes} bytes, and at most ${MAX_INSTANCE_NAME_BYTES} are allowed`
    : undefined
}

/** The fault of a time to live in seconds; undefined if it is valid. */
export function ttlFault(ttlSeconds: number): string | undefined {
  if (Number.isInteger(ttlSeconds) && ttlSeconds >= TTL.least && ttlSeconds <= TTL.most) return undefined
  return `ttlSeconds is ${ttlSeconds}. It must be a whole number from ${TTL.least} to ${TTL.most}.`
}

/** The JSON text of an instance's metadata, under the same rules as an entry's content; null if there is none. */
export function metadataText(
  metadata: unknown,
  limits: ValueLimits,
): { readonly text: string | null } | { readonly faults: readonly ContentFault[] } {
  if (metadata === null || metadata === undefined) return { text: null }
  const faults = runAtOnce(valueFaults('metadata', metadata, limits))
  if (faults.length > 0) return { faults }
  const text = jsonText(metadata as Json)
  const bytes = utf8Length(text)
  if (bytes <= limits.maxEntryBytes) return { text }
  return {
    faults: [
      {
        code: 'TOO_LARGE',
        message: `metadata takes ${bytes} bytes as JSON, and at most ${limits.maxEntryBytes} are allowed`,
      },
    ],
  }
}
