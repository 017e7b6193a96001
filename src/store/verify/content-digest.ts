import { createHash } from 'node:crypto'
import { canonicalJson } from '../../core/entry/canonical-json.js'
import type { Json } from '../../core/entry/json.js'
import { sha256 } from '../planning/sha256.js'

interface ContentTexts {
  readonly kind: string
  readonly metaText: string
  readonly dataText: string
}

/** Computes the digest that a content should have; null if its texts are not JSON. */
export function contentDigest({ kind, metaText, dataText }: ContentTexts): string | null {
  try {
    return sha256(canonicalJson({ kind, meta: JSON.parse(metaText) as Json, data: JSON.parse(dataText) as Json }))
  } catch {
    return null
  }
}

/** Hashes the texts as they are written. Equal values may be written differently. */
export function textHash(content: ContentTexts): string {
  return createHash('sha256').update(`${content.kind}\0${content.metaText}\0${content.dataText}`).digest('base64')
}
