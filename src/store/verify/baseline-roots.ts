import type { ReportCorruption } from './report-corruption.js'
import { StateSum } from './state-sum.js'
import type { StoredHistory, StoredVersion } from './stored-history.js'

/**
 * Finds the compacted versions from which retained ones descend, each with its state. That is the state at the first retained
 * revision (including the baseline's) at which it was the head. Adds the state sums of these versions, and of all others
 * that have been the head since, to `sums`.
 */
export async function baselineRoots(
  versions: readonly StoredVersion[],
  childrenOf: ReadonlyMap<number, readonly number[]>,
  oldestRevision: number,
  sums: Map<number, bigint>,
  stored: StoredHistory,
  report: ReportCorruption,
): Promise<{ readonly number: number; readonly sum: StateSum }[]> {
  const compacted = new Map(
    versions.filter(({ revision }) => revision < oldestRevision).map((version) => [version.number, version]),
  )
  for (const { number, state } of compacted.values()) {
    const sum = number === 0 ? 0n : readSum(state)
    if (sum !== null) sums.set(number, sum)
    else if (state !== null) report('version', `v${number}`, 'Its state sum cannot be read')
  }
  const headAt = await firstRetainedRevisions(compacted, oldestRevision, stored)
  const roots = []
  for (const number of [...childrenOf.keys()].filter((each) => compacted.has(each)).sort((a, b) => a - b)) {
    const sum = new StateSum()
    const revision = headAt.get(number)
    if (number !== 0 && revision === undefined) {
      report('version', `v${number}`, 'Has descendants, but was never the head since the baseline')
    } else if (number !== 0) {
      for await (const { id, content } of stored.stateAt(revision!)) sum.set(id, { digest: content.digest })
      if (sum.value !== sums.get(number))
        report('version', `v${number}`, `The state at revision ${revision} does not have the stored sum`)
    }
    roots.push({ number, sum })
  }
  return roots
}

/** The first revision at which each compacted version was the head, starting one before the oldest revision. */
async function firstRetainedRevisions(
  compacted: ReadonlyMap<number, StoredVersion>,
  oldestRevision: number,
  stored: StoredHistory,
): Promise<Map<number, number>> {
  const found = new Map<number, number>()
  if (oldestRevision === 1) found.set(0, 0)
  for await (const { revision, to } of stored.transitions()) {
    if (revision >= oldestRevision - 1 && compacted.has(to) && !found.has(to)) found.set(to, revision)
  }
  return found
}

function readSum(text: string | null): bigint | null {
  return text !== null && /^[0-9a-f]{64}$/.test(text) ? BigInt(`0x${text}`) : null
}
