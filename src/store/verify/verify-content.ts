import { jsonEquals } from '../../core/entry/canonical-json.js'
import type { SealedContent } from '../../core/entry/entry.js'
import type { Json } from '../../core/entry/json.js'
import type { CorruptionPart } from '../contract/history.js'
import { contentDigest } from './content-digest.js'
import type { ReportCorruption } from './report-corruption.js'

/** Compares a stored content with its digest and with the searchable copy of its meta. */
export function verifyContent(
  part: CorruptionPart,
  where: string,
  content: SealedContent,
  metaIndex: Json,
  report: ReportCorruption,
): void {
  const digest = contentDigest(content)
  if (digest === null) return report(part, where, 'The content is not JSON')
  if (digest !== content.digest) report(part, where, 'The content does not have its digest')
  if (metaIndex !== null && !jsonEquals(metaIndex, content.meta))
    report(part, where, 'The searchable copy of meta differs from meta')
}
