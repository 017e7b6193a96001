import { Document, Scalar, visit } from 'yaml'
import { HIDDEN_CHARACTERS } from '../../core/entry/hidden-characters.js'
import { CommandFailure, EXIT } from './command-failure.js'

/** YAML can write hidden characters as escapes within double quotes. Blocks have line ends and tabs. */
const UNSEEN = new RegExp(`(?![\n\t])(?:${HIDDEN_CHARACTERS.source})`, 'gu')

/** Lines of a block, without blank ones and without white space at either end. Other texts would not come back as they were. */
const BLOCK = /^(?:\S(?:.*\S)?\n)*\S(?:.*\S)?\n?$/

function needsQuotes(text: string, isKey: boolean): boolean {
  if (text.search(UNSEEN) >= 0) return true
  // A plain << is a merge key.
  if (isKey) return text === '<<' || text.includes('\n')
  return text.includes('\n') ? !BLOCK.test(text) : text.trim() !== text
}

/**
 * A JSON value as YAML that `apply` parses to the same value, without anchors and folded lines.
 * @param subject - What the value is, for the message
 * @throws CommandFailure if it is nested more deeply than the library, which recurses, can write
 */
export function yamlText(value: unknown, subject: string): string {
  try {
    return written(value)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new CommandFailure(
      EXIT.refused,
      `${subject} is nested too deeply for YAML. Use --json, or export it with --form entry`,
      'TOO_LARGE',
    )
  }
}

function written(value: unknown): string {
  const document = new Document(value, { version: '1.2', schema: 'core', aliasDuplicateObjects: false })
  visit(document, {
    Scalar: (key, node) => {
      if (typeof node.value === 'string' && needsQuotes(node.value, key === 'key')) node.type = Scalar.QUOTE_DOUBLE
    },
  })
  return document.toString({ lineWidth: 0, doubleQuotedMinMultiLineLength: Infinity }).replace(UNSEEN, escapeForYaml)
}

function escapeForYaml(character: string): string {
  const code = character.codePointAt(0)!.toString(16)
  return code.length > 4 ? `\\U${code.padStart(8, '0')}` : `\\u${code.padStart(4, '0')}`
}
