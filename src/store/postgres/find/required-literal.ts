/** The text that every match of a regular expression must hold. */
export interface RequiredLiteral {
  readonly text: string
  /** Whether it is at the beginning. */
  readonly anchored: boolean
  /** Whether the expression requires nothing else. */
  readonly complete: boolean
}

/** Characters that stand for themselves wherever they are outside a class. */
const PLAIN = /^(?:[\p{L}\p{N} _:/@,=~%&;<>"'!#-]|\\[./\-_:])/u
const QUANTIFIER = /^[*?+{]/

/**
 * Finds the literal that a pattern begins with, so that indexes and cheap substring tests leave few rows for the expression
 * itself. Undefined if there is none, or if alternatives or flags (`(?i)`) may change its meaning.
 */
export function requiredLiteral(pattern: string): RequiredLiteral | undefined {
  if (pattern.includes('|') || pattern.includes('(?')) return undefined
  const anchored = pattern.startsWith('^')
  let rest = anchored ? pattern.slice(1) : pattern
  let text = ''
  for (let match = PLAIN.exec(rest); match !== null; match = PLAIN.exec(rest)) {
    const after = rest.slice(match[0].length)
    // A quantifier may make the character before it optional.
    if (QUANTIFIER.test(after)) break
    text += match[0].startsWith('\\') ? match[0].slice(1) : match[0]
    rest = after
  }
  return text === '' ? undefined : { text, anchored, complete: rest === '' }
}
