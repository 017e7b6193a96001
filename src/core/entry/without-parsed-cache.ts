import { type EntryRevision, SealedContent } from './entry.js'

/** Contents remember what was parsed of them, which takes several times their texts: each reader of what is kept has one of its own. */
export function withoutParsedCache({
  id,
  revision,
  version,
  content: { kind, metaText, dataText, digest },
}: EntryRevision): EntryRevision {
  return { id, content: new SealedContent(kind, metaText, dataText, digest), revision, version }
}
