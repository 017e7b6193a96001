import type { JsonObject } from '../../core/entry/json.js'
import type { Fault, SourceDocument, SourcePath } from './source-document.js'

const INVISIBLE = /[\p{Cf}\p{Cc}\p{Default_Ignorable_Code_Point}\s]/gu

/** A key without its invisible characters, such as a byte order mark or a zero-width space. */
export function visibleKey(key: string): string {
  return key.replace(INVISIBLE, '')
}

/** A key that looks like one of `names` but contains invisible characters. Undefined if there is none. */
export function lookalikeKey(object: JsonObject, names: ReadonlySet<string>): string | undefined {
  return Object.keys(object).find((key) => !names.has(key) && names.has(visibleKey(key)))
}

/** The fault of such a key. Without it, a document whose key `namespace` has one would pass for a foreign one. */
export function lookalikeFault(key: string, document: SourceDocument, path: SourcePath): Fault {
  const escaped = key.replace(
    INVISIBLE,
    (character) => `\\u${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`,
  )
  return {
    ...document.positionOf(path),
    message: `the key "${escaped}" contains an invisible character. Write it as "${visibleKey(key)}"`,
  }
}
