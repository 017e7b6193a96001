import type { EntryId } from './entry-id.js'
import type { Json, JsonObject } from './json.js'

/** An entry without its id. */
export interface Content {
  readonly kind: string
  readonly meta: JsonObject
  readonly data: Json
}

/**
 * Content that was validated once and never changes. Its JSON texts are stored and sent unchanged, because they preserve
 * key order and every double. Equal digests mean equal values.
 */
export class SealedContent implements Content {
  #meta: JsonObject | undefined
  #data: Json | undefined

  constructor(
    readonly kind: string,
    readonly metaText: string,
    readonly dataText: string,
    /** SHA-256, 64 hex digits, of the RFC 8785 form of `{kind, meta, data}`. */
    readonly digest: string,
  ) {}

  /** Parsed on first use, because most entries pass through without being read. */
  get meta(): JsonObject {
    return (this.#meta ??= JSON.parse(this.metaText) as JsonObject)
  }

  get data(): Json {
    if (this.#data === undefined) this.#data = JSON.parse(this.dataText) as Json
    return this.#data
  }
}

/** An entry's content with its id, whether or not a registry has it. */
export interface EntryContent {
  readonly id: EntryId
  readonly content: SealedContent
}

/** An entry's content at a revision. */
export interface EntryRevision {
  readonly id: EntryId
  readonly content: SealedContent
  /** The transition that gave the entry this content. It may be a rollback. */
  readonly revision: number
  /** The version whose changeset wrote this content. */
  readonly version: number
}
