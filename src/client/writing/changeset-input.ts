/** An operation as in the input of `applyChangeset`. */
export type Operation =
  | { readonly create: EntryContent }
  | { readonly update: EntryContent & { readonly ifRevision?: number } }
  | { readonly delete: { readonly id: string; readonly ifRevision?: number; readonly force?: boolean } }

export interface EntryContent {
  readonly id: string
  readonly kind: string
  readonly meta?: Readonly<Record<string, unknown>>
  readonly data?: unknown
}

export interface ApplyOptions {
  readonly message?: string
  /** The revision that the operations are based on. */
  readonly base?: number
  readonly expectedHead?: number
  readonly dryRun?: boolean
  /** A random key by default. All attempts have the same one. */
  readonly idempotencyKey?: string
  readonly signal?: AbortSignal
}
