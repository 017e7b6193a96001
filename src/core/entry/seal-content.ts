import type { Steps } from '../algorithms/steps.js'
import { SealedContent } from './entry.js'
import type { Json } from './json.js'
import { canonicalJsonInSteps, jsonTextInSteps } from './json-in-steps.js'
import { kindFault } from './kind.js'
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

/** Sealed content, or why it was not sealed. */
export type Sealed = { readonly content: SealedContent } | { readonly faults: ContentFault[] }

/**
 * Validates content and fixes its texts and digest. Missing or null meta becomes `{}`, missing data null. Nothing else is
 * altered: content that cannot be stored unchanged has faults.
 */
export function* sealContent(content: UnsealedContent, rules: SealRules): Steps<Sealed> {
  const { kind } = content
  const meta = content.meta ?? {}
  const data = content.data ?? null

  const faults: ContentFault[] = []
  const wrongKind = kindFault(kind)
  if (wrongKind !== undefined) faults.push({ code: 'INVALID_ENTRY', message: wrongKind })
  if (typeof meta !== 'object' || Array.isArray(meta)) {
    faults.push({ code: 'INVALID_ENTRY', message: 'meta is not a JSON object. Send an object, null or nothing.' })
  } else {
    faults.push(...(yield* valueFaults('meta', meta, rules)))
  }
  faults.push(...(yield* valueFaults('data', data, rules)))
  if (faults.length > 0) return { faults: faults.slice(0, MAX_FAULTS) }

  const metaText = yield* jsonTextInSteps(meta as Json)
  const dataText = yield* jsonTextInSteps(data as Json)
  const bytes = utf8Length(metaText) + utf8Length(dataText)
  if (bytes > rules.maxEntryBytes) return { faults: [tooLarge(`${bytes}`, rules)] }

  const digest = rules.sha256(yield* canonicalJsonInSteps({ kind, meta: meta as Json, data: data as Json }))
  return { content: new SealedContent(kind, metaText, dataText, digest) }
}

function tooLarge(bytes: string, rules: SealRules): ContentFault {
  return {
    code: 'TOO_LARGE',
    message: `meta and data take ${bytes} bytes as JSON, and an entry may take ${rules.maxEntryBytes}. Make it smaller or split it.`,
  }
}
