/** The ways to treat an entry that its source no longer defines. */
export const MISSING = ['delete', 'unavailable'] as const
export type Missing = (typeof MISSING)[number]

/** The settings for applying a source. */
export interface SourceSettings {
  /** Unique among the sources and stable across restarts, because ownership is recorded under it. */
  readonly name: string
  readonly provider: string
  readonly watch: boolean
  readonly missing: Missing
  readonly conflict: Conflict
  /** Whether its entries are deleted even if all of its definitions vanish at once. */
  readonly allowEmpty: boolean
}

/** The author of a source's changesets. */
export function sourceAuthor(source: string): string {
  return `source/${source}`
}

/** The ways to settle a conflict: a source has new content for an entry that others own or have changed. */
export const CONFLICTS = ['source', 'registry', 'newer', 'fail'] as const

export type Conflict = (typeof CONFLICTS)[number]
