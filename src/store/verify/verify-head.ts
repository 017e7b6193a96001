import type { EntryId } from '../../core/entry/entry-id.js'
import { contentDigest, textHash } from './content-digest.js'
import type { ReportCorruption } from './report-corruption.js'
import type { StoredHistory } from './stored-history.js'
import { verifyContent } from './verify-content.js'
import type { WalkedEntry } from './walk-log.js'

/** Compares the head, and the indexes derived from it, with the state at the end of the log. */
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
      report('head', id, 'Is at the head, but the log has no such entry')
      continue
    }
    if (there.revision !== revision || there.version !== version)
      report('head', id, `Has r${revision} of v${version}; by the log it is r${there.revision} of v${there.version}`)
    const isSame = textHash(content) === there.hash
    if (!isSame || content.digest !== there.digest) report('head', id, 'Does not have the content of the log')
    verifyContent('head', id, content, metaIndex, report)
    // A different or unreadable content has been reported already, and its references are unknown.
    if (stored.referenceIndex === null || !isSame || contentDigest(content) === null) continue
    for (const row of stored.referenceIndex.rowsOf(entry)) expected.add(row)
  }
  if (count !== state.size) report('head', 'head', `Has ${count} entries; by the log there are ${state.size}`)
  if (stored.referenceIndex !== null) {
    for await (const row of stored.referenceIndex.rows()) {
      if (!expected.delete(row)) report('reference', row, 'No entry has this reference')
    }
    for (const missing of expected) report('reference', missing, 'Is missing from the index of references')
  }
  if (stored.names !== null) {
    const missing = new Set(everSeen)
    for await (const id of stored.names()) {
      if (!missing.delete(id)) report('entry_name', id, 'Is in the index of names, but no such entry ever existed')
    }
    for (const id of missing) report('entry_name', id, 'Is missing from the index of names')
  }
}
