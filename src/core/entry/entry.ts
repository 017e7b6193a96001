import type { EntryId } from './entry-id.js'
import type { Json, JsonObject } from './json.js'

/** What an entry holds besides its id. */
export interface Content {
  readonly kind: string
  readonly meta: JsonObject
  readonly data: Json
}

/**
 * Content that has been checked and will not change: its JSON texts are the truth that is stored and sent
 * (they keep key order and every double), its digest says whether two are equal by value.
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

  /** Parsed on first use: most entries that pass through are never looked into. */
  get meta(): JsonObject {
    return (this.#meta ??= JSON.parse(this.metaText) as JsonObject)
  }

  get data(): Json {
    if (this.#data === undefined) this.#data = JSON.parse(this.dataText) as Json
    return this.#data
  }
}

/** An entry's content under its id, in a registry or not yet. */
export interface EntryContent {
  readonly id: EntryId
  readonly content: SealedContent
}

/** An entry's content as one revision left it. */
export interface EntryRevision {
  readonly id: EntryId
  readonly content: SealedContent
  /** The transition that gave the entry this content, a rollback's too. */
  readonly revision: number
  /** The version whose changeset wrote this content. */
  readonly version: number
}
