/** What becomes of an entry that its source does not define any more. */
export const MISSING = ['delete', 'unavailable'] as const
export type Missing = (typeof MISSING)[number]

/** How what is read of a source is applied. */
export interface SourceSettings {
  /** Unique among the sources, and the same over all restarts: what it owns is recorded under it. */
  readonly name: string
  readonly provider: string
  readonly watch: boolean
  readonly missing: Missing
  readonly conflict: Conflict
}

/** In whose name a source's changesets are applied. */
export function sourceAuthor(source: string): string {
  return `source/${source}`
}

/** What settles it where a source has new content for an entry that is not, or not only, its own. */
export const CONFLICTS = ['source', 'registry', 'newer', 'fail'] as const

export type Conflict = (typeof CONFLICTS)[number]
