import { createHash } from 'node:crypto'
import type { Version } from '../../core/history/version.js'
import type { ChangeRow } from '../planning/change-row.js'
import { CHAIN_START_DIGEST } from '../planning/changeset-codec.js'
import type { TransitionRow } from '../planning/commit-state.js'
import { textHash } from './content-digest.js'

/** What stands in for the history that was compacted away, so that what is left of it can still be checked. */
export interface Baseline {
  /** Everything from here on is kept. */
  readonly revision: number
  /** Chained over the rows of all versions below it, whose changesets are gone. */
  readonly versionsDigest: string
  /** Chained over the digests and entry counts of all transitions below it. */
  readonly transitionsDigest: string
  /** Sum of the log's rows that make the state it began with. */
  readonly rows: string
  /** False while something of what was compacted away is still there. */
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

/** The link after a transition, in the chain that a baseline keeps of them. */
export function transitionLink(link: string, { digest, entryCount }: TransitionRow): string {
  return nextLink(link, [digest, entryCount])
}

/** Of all that a row of the log says. */
export function rowDigest(row: ChangeRow): string {
  const { id, revision, operation, position, deletePosition, content, version, previousRevision } = row
  const told = content === null ? null : [content.digest, textHash(content)]
  return createHash('sha256')
    .update(JSON.stringify([id, revision, operation, position, deletePosition, version, previousRevision, told]))
    .digest('hex')
}

/** A sum as it is kept. */
export function sumText(sum: bigint): string {
  return sum.toString(16).padStart(64, '0')
}

function nextLink(link: string, facts: readonly unknown[]): string {
  return createHash('sha256').update(Buffer.from(link, 'hex')).update(JSON.stringify(facts)).digest('hex')
}
