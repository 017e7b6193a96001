import { Document, Scalar, visit } from 'yaml'

/** Control and bidi characters. YAML can write them as escapes within double quotes. */
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g

/** Lines of a block, without blank ones and without white space at either end. Other texts would not come back as they were. */
const BLOCK = /^(?:\S(?:.*\S)?\n)*\S(?:.*\S)?\n?$/

function needsQuotes(text: string, isKey: boolean): boolean {
  if (text.search(UNSEEN) >= 0) return true
  // A plain << is a merge key.
  if (isKey) return text === '<<' || text.includes('\n')
  return text.includes('\n') ? !BLOCK.test(text) : text.trim() !== text
}

/** A JSON value as YAML that `apply` parses to the same value, without anchors and folded lines. */
export function yamlText(value: unknown): string {
  const document = new Document(value, { version: '1.2', schema: 'core', aliasDuplicateObjects: false })
  visit(document, {
    Scalar: (key, node) => {
      if (typeof node.value === 'string' && needsQuotes(node.value, key === 'key')) node.type = Scalar.QUOTE_DOUBLE
    },
  })
  return document
    .toString({ lineWidth: 0, doubleQuotedMinMultiLineLength: Infinity })
    .replace(UNSEEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
