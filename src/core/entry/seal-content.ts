import { canonicalJson } from './canonical-json.js'
import { SealedContent } from './entry.js'
import type { Json } from './json.js'
import { kindFault } from './kind.js'
import { jsonText } from './negative-zero.js'
import { utf8Length } from './text.js'
import { type ContentFault, MAX_FAULTS, valueFaults } from './value-faults.js'

export interface SealRules {
  /** 64 hex digits of the text's UTF-8 bytes. The core has no hash of its own. */
  sha256(text: string): string
  /** How deep arrays and objects may nest within meta and within data: `[]` is 1 deep, `[[]]` is 2. */
  readonly maxDepth: number
  /** UTF-8 bytes of the texts of meta and data together. */
  readonly maxEntryBytes: number
}

/** Content as a caller gave it: nothing is known of meta and data. */
export interface UnsealedContent {
  readonly kind: string
  readonly meta: unknown
  readonly data: unknown
}

/**
 * Checks content and fixes its texts and digest; meta left out or null is `{}`, data left out is null.
 * Nothing is altered to make it fit: what cannot be kept is a fault.
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
    faults.push({ code: 'INVALID_ENTRY', message: 'meta is not a JSON object; send an object, null or nothing' })
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
    message: `meta and data take ${bytes} bytes as JSON; an entry may take ${rules.maxEntryBytes}: make it smaller or split it`,
  }
}
