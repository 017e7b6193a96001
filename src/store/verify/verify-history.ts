import type { Version } from '../../core/history/version.js'
import type { Corruption, Verification } from '../contract/history.js'
import { historyDamagedError } from '../planning/plan-compaction.js'
import { movedTagSum, NO_TAGS, tagDigest } from '../planning/plan-tag.js'
import { type Baseline, type MeasuredBaseline, versionsDigest } from './baseline.js'
import { replayLineages } from './replay-lineages.js'
import type { ReportCorruption } from './report-corruption.js'
import type { StoredHistory, StoredPointer, StoredVersion } from './stored-history.js'
import { verifyHead } from './verify-head.js'
import { walkLog } from './walk-log.js'

/** @bound Wrong rows that `verify` reports. A broken store may have millions. The first ones show what happened. */
const MAX_CORRUPTIONS = 1_000

/**
 * Checks a stored history. README.md of this room explains how.
 * @param progress - receives the number of versions checked, and of all versions
 */
export async function verifyHistory(
  stored: StoredHistory,
  progress: (done: number, of: number) => void = () => {},
): Promise<Verification> {
  return (await readHistory(stored, { progress, byText: true, measureAt: null })).verification
}

/** A baseline, and the state sums of the versions that are the head there or become it again. */
export interface Measured {
  readonly baseline: MeasuredBaseline
  readonly sums: ReadonlyMap<number, bigint>
}

/**
 * Measures the baseline that replaces the history before a revision. All of history is checked, because a corruption
 * could not be found after the rest has been removed.
 * @throws RegistryError HISTORY_DAMAGED
 */
export async function measureBaseline(stored: StoredHistory, before: number): Promise<Measured> {
  const {
    verification: { corruptions },
    versions,
    sums,
    measured,
  } = await readHistory(stored, { progress: () => {}, byText: false, measureAt: before })
  const [first] = corruptions
  if (first !== undefined)
    throw historyDamagedError(corruptions.length, `${first.part} ${first.where}: ${first.message}`)
  if (measured === null) throw new Error(`Revision ${before} is not in the log`)
  return { baseline: { revision: before, versionsDigest: versionsDigest(versions, before), ...measured }, sums }
}

async function readHistory(
  stored: StoredHistory,
  {
    progress,
    byText,
    measureAt,
  }: { progress: (done: number, of: number) => void; byText: boolean; measureAt: number | null },
) {
  const corruptions: Corruption[] = []
  const report: ReportCorruption = (part, where, message) => {
    if (corruptions.length < MAX_CORRUPTIONS) corruptions.push({ part, where, message })
  }
  const versions: StoredVersion[] = []
  for await (const version of stored.versions()) versions.push(version)
  const baseline = await stored.baseline()
  if (baseline !== null) verifyVersions(versions, baseline, report)

  const replay = await replayLineages(versions, stored, report, {
    oldestRevision: baseline?.revision ?? 0,
    byText,
    progress,
  })
  const line = await walkLog(versions, replay, { baseline, measureAt }, stored, report)
  await verifyHead(line, stored, report)
  verifyPointer(
    await stored.pointer(),
    {
      head: line.head,
      lastVersion: versions.at(-1)?.number ?? 0,
      versionDigest: versions.find(({ number }) => number === line.head.version)?.digest ?? '',
      transitionDigest: line.digest,
      entryCount: line.state.size,
      tagSum: await verifyTags(versions, baseline, stored, report),
      oldestRevision: baseline?.revision ?? 0,
    },
    report,
  )
  const verification: Verification = {
    versions: versions.length,
    revisions: line.head.revision,
    changes: line.changes,
    corruptions,
  }
  return { verification, versions, sums: replay.sums, measured: line.measured }
}

/** Versions without a changeset can only be compared with the baseline's digest of them. */
function verifyVersions(versions: readonly StoredVersion[], baseline: Baseline, report: ReportCorruption): void {
  if (versionsDigest(versions, baseline.revision) !== baseline.versionsDigest) {
    report('baseline', 'baseline', 'The versions below it are not those from which it was made')
  }
  if (!baseline.removed) return
  for (const { number, revision, hasChangeset } of versions) {
    if (number > 0 && revision < baseline.revision && hasChangeset)
      report('version', `v${number}`, 'Its changeset should have been removed')
  }
}

/** Compares each tag with its digest, and returns the sum of all tags. */
async function verifyTags(
  versions: readonly Version[],
  baseline: Baseline | null,
  stored: StoredHistory,
  report: ReportCorruption,
): Promise<string> {
  const revisionOf = new Map(versions.map(({ number, revision }) => [number, revision]))
  let sum = NO_TAGS
  for await (const { tag, digest } of stored.tags()) {
    sum = movedTagSum(sum, undefined, tag)
    if (tagDigest(tag) !== digest) report('tag', tag.name, 'Does not have its digest')
    const revision = revisionOf.get(tag.version)
    if (revision === undefined) report('tag', tag.name, `Names version ${tag.version}, which does not exist`)
    else if (tag.version > 0 && revision < (baseline?.revision ?? 0))
      report('tag', tag.name, `Names version ${tag.version}, which has been compacted`)
  }
  return sum
}

function verifyPointer(stored: StoredPointer, byLog: StoredPointer, report: ReportCorruption): void {
  for (const key of Object.keys(byLog) as (keyof StoredPointer)[]) {
    const [actual, expected] = [JSON.stringify(stored[key]), JSON.stringify(byLog[key])]
    if (actual !== expected) report('head_pointer', key, `Is stored as ${actual}; by the log it is ${expected}`)
  }
}
