import { createHash } from 'node:crypto'
import type { Version } from '../../core/history/version.js'
import type { ChangeRow } from '../planning/change-row.js'
import { CHAIN_START_DIGEST } from '../planning/changeset-codec.js'
import type { TransitionRow } from '../planning/commit-state.js'
import { textHash } from './content-digest.js'

/** Replaces the history that was compacted away, so that the rest can still be checked. */
export interface Baseline {
  /** The oldest revision that is retained in full. */
  readonly revision: number
  /** Chained over the rows of all versions below the baseline, whose changesets have been removed. */
  readonly versionsDigest: string
  /** Chained over the digests and entry counts of all transitions below the baseline. */
  readonly transitionsDigest: string
  /** The sum of the log's rows that make up the state at the baseline. */
  readonly rows: string
  /** False while compacted rows remain to be removed. */
  readonly removed: boolean
}

export type MeasuredBaseline = Omit<Baseline, 'removed'>

export function versionsDigest(versions: readonly Version[], before: number): string {
  return versions
    .filter(({ revision }) => revision < before)
    .reduce((link, version) => {
      const { number, parent, revision, author, message, createdAt, digest, created, updated, deleted } = version
      return nextLink(link, [
        number,
        parent,
        revision,
        author,
        message,
        createdAt.getTime(),
        digest,
        created,
        updated,
        deleted,
      ])
    }, CHAIN_START_DIGEST)
}

/** The next link, after a transition, in the baseline's chain of transitions. */
export function transitionLink(link: string, { digest, entryCount }: TransitionRow): string {
  return nextLink(link, [digest, entryCount])
}

/** The digest of a row of the log with its content. */
export function rowDigest(row: ChangeRow): string {
  const { id, revision, operation, position, deletePosition, content, version, previousRevision } = row
  const digests = content === null ? null : [content.digest, textHash(content)]
  return createHash('sha256')
    .update(JSON.stringify([id, revision, operation, position, deletePosition, version, previousRevision, digests]))
    .digest('hex')
}

/** Formats a sum as it is stored. */
export function sumText(sum: bigint): string {
  return sum.toString(16).padStart(64, '0')
}

function nextLink(link: string, facts: readonly unknown[]): string {
  return createHash('sha256').update(Buffer.from(link, 'hex')).update(JSON.stringify(facts)).digest('hex')
}
