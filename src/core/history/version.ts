import { RegistryError } from '../errors/registry-error.js'
/** A node of the version tree, made by one changeset. v0, the root, is empty. */
export interface Version {
  readonly number: number
  /** Null for v0. */
  readonly parent: number | null
  /** The first revision at which this version was the head. Its snapshot is read there. */
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
  /** The number of changes. A transition that changed nothing has 0. */
  readonly changeCount: number
}

/** The registry's current revision, and its version there. */
export interface Head {
  readonly revision: number
  readonly version: number
}

/** Returns a revision that exists, compacted or not. @throws RegistryError REVISION_NOT_FOUND */
export function knownRevision(revision: number, head: Head): number {
  if (revision >= 0 && revision <= head.revision) return revision
  const message = `There is no revision ${revision}. The registry is at revision ${head.revision}.`
  throw new RegistryError('REVISION_NOT_FOUND', message, { revision, headRevision: head.revision })
}
