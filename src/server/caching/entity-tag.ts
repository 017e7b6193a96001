import { createHash } from 'node:crypto'

/** @bound Characters of `If-None-Match` that are read. A longer one is as good as none. */
const LONGEST_LIST = 8_192
/** @bound Tags of `If-None-Match` that are read. */
const MOST_TAGS = 100
/** A tag, weak or strong, of a list (RFC 9110, 8.8.3). */
const TAG = /^[\s,]*((?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")(?=[\s,]|$)/

/** Makes a weak tag of what identifies an answer. Weak, because a compressed answer has the same tag. */
export function weakTag(parts: readonly string[]): string {
  return `W/"${createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 27)}"`
}

/** The tags that a client has an answer of, without the marks of weak ones; `any` if it has one of any tag. */
export type KnownTags = ReadonlySet<string> | 'any' | null

/** Reads `If-None-Match`. Null if the header is missing or not a list of tags. */
export function knownTags(header: string | undefined): KnownTags {
  if (header === undefined || header.length > LONGEST_LIST) return null
  if (header.trim() === '*') return 'any'
  const tags = new Set<string>()
  let rest = header
  while (tags.size < MOST_TAGS) {
    const match = TAG.exec(rest)
    if (match === null) break
    tags.add(opaque(match[1]!))
    rest = rest.slice(match[0].length)
  }
  return tags.size === 0 ? null : tags
}

/** Whether the client has the answer with a tag, by the weak comparison. */
export function isKnown(known: KnownTags, tag: string): boolean {
  return known !== null && known !== 'any' && known.has(opaque(tag))
}

function opaque(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag
}
