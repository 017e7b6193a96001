import type { Corruption, Verification } from '../history.js'
import type { Version } from '../../core/version.js'
import { movedTagSum, NO_TAGS, tagDigest } from '../plan-tag.js'
import type { Report } from './report.js'
import { readLine } from './read-line.js'
import { replayLineages } from './replay-lineages.js'
import type { StoredHistory, StoredPointer } from './stored-history.js'
import { verifyHead } from './verify-head.js'

/*
 * Two readings of history that share nothing, held against each other.
 *
 *   by the changesets            v0 ─▶ v1 ─▶ v2      walked down the version tree, undone on the way back up:
 *   (lineage of each version)         └─▶ v3         the state of every version, from v0 by its own lineage
 *
 *   by the log                   r1 ─▶ r2 ─▶ r3 ─▶ r4    walked along the revisions, row by row
 *
 * A state of a million entries is held as one number (StateSum), moved on by each change, so that every
 * version is compared in constant space; the rows are compared one by one besides, to name what is wrong.
 */

/** A broken store can have millions of wrong rows; that many are enough to see what happened. */
const MAX_CORRUPTIONS = 1_000

export async function verifyHistory(
  stored: StoredHistory,
  progress: (done: number, of: number) => void = () => {},
): Promise<Verification> {
  const corruptions: Corruption[] = []
  const report: Report = (part, where, message) => {
    if (corruptions.length < MAX_CORRUPTIONS) corruptions.push({ part, where, message })
  }
  const versions: Version[] = []
  for await (const version of stored.versions()) versions.push(version)

  const replay = await replayLineages(versions, stored, report, progress)
  const line = await readLine(versions, replay, stored, report)
  await verifyHead(line, stored, report)
  verifyPointer(await stored.pointer(), {
    head: line.head,
    lastVersion: versions.at(-1)?.number ?? 0,
    versionDigest: versions.find(({ number }) => number === line.head.version)?.digest ?? '',
    transitionDigest: line.digest,
    entryCount: line.state.size,
    tagSum: await verifyTags(versions, stored, report),
  }, report)
  return { versions: versions.length, revisions: line.head.revision, changes: line.changes, corruptions }
}

/** The sum of all tags, each held against its digest. */
async function verifyTags(versions: readonly Version[], stored: StoredHistory, report: Report): Promise<string> {
  const numbers = new Set(versions.map(({ number }) => number))
  let sum = NO_TAGS
  for await (const { tag, digest } of stored.tags()) {
    sum = movedTagSum(sum, undefined, tag)
    if (tagDigest(tag) !== digest) report('tag', tag.name, 'does not have its digest')
    if (!numbers.has(tag.version)) report('tag', tag.name, `stands on version ${tag.version}, which is not there`)
  }
  return sum
}

function verifyPointer(stored: StoredPointer, byLog: StoredPointer, report: Report): void {
  for (const key of Object.keys(byLog) as (keyof StoredPointer)[]) {
    const [said, is] = [JSON.stringify(stored[key]), JSON.stringify(byLog[key])]
    if (said !== is) report('head_pointer', key, `is stored as ${said}, by the log it is ${is}`)
  }
}
