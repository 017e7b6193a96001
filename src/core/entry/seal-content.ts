import { canonicalJson } from './canonical-json.js'
import { SealedContent } from './entry.js'
import type { Json } from './json.js'
import { kindFault } from './kind.js'
import { jsonText } from './negative-zero.js'
import { utf8Length } from './text.js'
import { type ContentFault, MAX_FAULTS, valueFaults } from './value-faults.js'

export interface SealRules {
  /** Hashes the text's UTF-8 bytes to 64 hex digits. The core has no hash of its own. */
  sha256(text: string): string
  /** How deep arrays and objects may be nested in meta and in data: `[]` is 1 deep, `[[]]` is 2. */
  readonly maxDepth: number
  /** Limit for the UTF-8 bytes of the texts of meta and data together. */
  readonly maxEntryBytes: number
}

/** Content as a caller sent it: meta and data are not validated. */
export interface UnsealedContent {
  readonly kind: string
  readonly meta: unknown
  readonly data: unknown
}

/**
 * Validates content and fixes its texts and digest. Missing or null meta becomes `{}`, missing data null. Nothing else is
 * altered: content that cannot be stored unchanged has faults.
 */
export function sealContent(
  content: UnsealedContent,
  rules: SealRules,
): { content: SealedContent } | { faults: ContentFault[] } {
  const { kind } = content
  const meta = content.meta ?? {}
  const data = content.data ?? null

  const faults: ContentFault[] = []
  const wrongKind = kindFault(kind)
  if (wrongKind !== undefined) faults.push({ code: 'INVALID_ENTRY', message: wrongKind })
  if (typeof meta !== 'object' || Array.isArray(meta)) {
    faults.push({ code: 'INVALID_ENTRY', message: 'meta is not a JSON object. Send an object, null or nothing.' })
  } else {
    faults.push(...valueFaults('meta', meta, rules))
  }
  faults.push(...valueFaults('data', data, rules))
  if (faults.length > 0) return { faults: faults.slice(0, MAX_FAULTS) }

  const metaText = jsonText(meta as Json)
  const dataText = jsonText(data as Json)
  const bytes = utf8Length(metaText) + utf8Length(dataText)
  if (bytes > rules.maxEntryBytes) return { faults: [tooLarge(`${bytes}`, rules)] }

  const digest = rules.sha256(canonicalJson({ kind, meta: meta as Json, data: data as Json }))
  return { content: new SealedContent(kind, metaText, dataText, digest) }
}

function tooLarge(bytes: string, rules: SealRules): ContentFault {
  return {
    code: 'TOO_LARGE',
    message: `meta and data take ${bytes} bytes as JSON, and an entry may take ${rules.maxEntryBytes}. Make it smaller or split it.`,
  }
}
