import type { EntryId } from '../../core/entry/entry-id.js'
import { contentDigest, textHash } from './content-digest.js'
import type { ReportCorruption } from './report-corruption.js'
import type { StoredHistory } from './stored-history.js'
import { verifyContent } from './verify-content.js'
import type { WalkedEntry } from './walk-log.js'

/** Holds the head table, and the indexes derived from it, against the state that the log ends in. */
export async function verifyHead(
  { state, everSeen }: { state: ReadonlyMap<EntryId, WalkedEntry>; everSeen: ReadonlySet<EntryId> },
  stored: StoredHistory,
  report: ReportCorruption,
): Promise<void> {
  let count = 0
  const expected = new Set<string>()
  for await (const { entry, metaIndex } of stored.head()) {
    count++
    const { id, content, revision, version } = entry
    const there = state.get(id)
    if (there === undefined) {
      report('head', id, 'stands at the head, but by the log there is no such entry')
      continue
    }
    if (there.revision !== revision || there.version !== version)
      report('head', id, `says r${revision} of v${version}, by the log it is r${there.revision} of v${there.version}`)
    const isSame = textHash(content) === there.hash
    if (!isSame || content.digest !== there.digest) report('head', id, 'does not hold what the log holds')
    verifyContent('head', id, content, metaIndex, report)
    // A content that is another or no JSON has been named already; what it refers to cannot be told.
    if (stored.referenceIndex === null || !isSame || contentDigest(content) === null) continue
    for (const row of stored.referenceIndex.rowsOf(entry)) expected.add(row)
  }
  if (count !== state.size) report('head', 'head', `holds ${count} entries, by the log there are ${state.size}`)
  if (stored.referenceIndex !== null) {
    for await (const row of stored.referenceIndex.rows()) {
      if (!expected.delete(row)) report('reference', row, 'stands in no entry')
    }
    for (const missing of expected) report('reference', missing, 'is missing from the index of references')
  }
  if (stored.names !== null) {
    const missing = new Set(everSeen)
    for await (const id of stored.names()) {
      if (!missing.delete(id))
        report('entry_name', id, 'stands in the index of names, but there never was such an entry')
    }
    for (const id of missing) report('entry_name', id, 'is missing from the index of names')
  }
}
