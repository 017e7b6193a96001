/** A node of the version tree: what one changeset made. v0, the root, is empty. */
export interface Version {
  readonly number: number
  /** Null for v0. */
  readonly parent: number | null
  /** The first revision at which this version was the head: where its snapshot is read. */
  readonly revision: number
  readonly author: string | null
  readonly message: string | null
  readonly createdAt: Date
  /** SHA-256, hex, chained over the parent's digest and the changeset's bytes. */
  readonly digest: string
  readonly created: number
  readonly updated: number
  readonly deleted: number
}

export const TRANSITION_KINDS = ['CHANGESET', 'VERSION'] as const
export type TransitionKind = (typeof TRANSITION_KINDS)[number]

/** One movement of the head. */
export interface Transition {
  readonly revision: number
  readonly kind: TransitionKind
  /** The version that was the head before. */
  readonly from: number
  /** The version that is the head afterwards. */
  readonly to: number
  readonly author: string | null
  readonly message: string | null
  readonly createdAt: Date
  /** How many changes it made; a transition that changed nothing has 0. */
  readonly changeCount: number
}

/** Where the registry stands. */
export interface Head {
  readonly revision: number
  readonly version: number
}
