import type { ReportCorruption } from './report-corruption.js'
import { StateSum } from './state-sum.js'
import type { StoredHistory, StoredVersion } from './stored-history.js'

/**
 * Compacted versions that kept ones are built on, each with its state: that at the first kept revision (the baseline's
 * included) at which it was the head. Their sums, and those of all others that were the head since, go into `sums`.
 */
export async function baselineRoots(
  versions: readonly StoredVersion[],
  childrenOf: ReadonlyMap<number, readonly number[]>,
  oldestRevision: number,
  sums: Map<number, bigint>,
  stored: StoredHistory,
  report: ReportCorruption,
): Promise<{ readonly number: number; readonly sum: StateSum }[]> {
  const gone = new Map(
    versions.filter(({ revision }) => revision < oldestRevision).map((version) => [version.number, version]),
  )
  for (const { number, state } of gone.values()) {
    const sum = number === 0 ? 0n : readSum(state)
    if (sum !== null) sums.set(number, sum)
    else if (state !== null) report('version', `v${number}`, 'the sum of its state cannot be read')
  }
  const headAt = await firstKeptRevisions(gone, oldestRevision, stored)
  const roots = []
  for (const number of [...childrenOf.keys()].filter((each) => gone.has(each)).sort((a, b) => a - b)) {
    const sum = new StateSum()
    const revision = headAt.get(number)
    if (number !== 0 && revision === undefined) {
      report('version', `v${number}`, 'is built on, but was never the head since the baseline')
    } else if (number !== 0) {
      for await (const { id, content } of stored.stateAt(revision!)) sum.set(id, { digest: content.digest })
      if (sum.value !== sums.get(number))
        report('version', `v${number}`, `the state at revision ${revision} does not have the sum that was kept of it`)
    }
    roots.push({ number, sum })
  }
  return roots
}

/** The first revision, from the one before the oldest on, at which each compacted version was the head. */
async function firstKeptRevisions(
  gone: ReadonlyMap<number, StoredVersion>,
  oldestRevision: number,
  stored: StoredHistory,
): Promise<Map<number, number>> {
  const found = new Map<number, number>()
  if (oldestRevision === 1) found.set(0, 0)
  for await (const { revision, to } of stored.transitions()) {
    if (revision >= oldestRevision - 1 && gone.has(to) && !found.has(to)) found.set(to, revision)
  }
  return found
}

function readSum(text: string | null): bigint | null {
  return text !== null && /^[0-9a-f]{64}$/.test(text) ? BigInt(`0x${text}`) : null
}
