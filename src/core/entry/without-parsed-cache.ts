import { type EntryRevision, SealedContent } from './entry.js'

/**
 * Copies an entry without the parsed values that its content caches. Those take several times the memory of the texts,
 * so caches store this copy and give each reader another.
 */
export function withoutParsedCache({
  id,
  revision,
  version,
  content: { kind, metaText, dataText, digest },
}: EntryRevision): EntryRevision {
  return { id, content: new SealedContent(kind, metaText, dataText, digest), revision, version }
}
