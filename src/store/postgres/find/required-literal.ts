/** What every text that a regular expression matches must hold. */
export interface RequiredLiteral {
  readonly text: string
  /** It stands at the very beginning. */
  readonly anchored: boolean
  /** The expression says no more than this. */
  readonly complete: boolean
}

/** Characters that stand for themselves wherever they are outside a class. */
const PLAIN = /^(?:[\p{L}\p{N} _:/@,=~%&;<>"'!#-]|\\[./\-_:])/u
const QUANTIFIER = /^[*?+{]/

/**
 * The literal run that a pattern begins with, if it is plain to see: database indexes and cheap substring tests
 * then leave few rows for the expression itself. Undefined where there is none or where alternatives or flags
 * (`(?i)`) may change what it means.
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
