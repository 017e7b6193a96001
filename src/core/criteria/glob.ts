/** An element of a glob: literal text, one character, or any run of characters. */
export type GlobToken = string | typeof ANY_CHARACTER | typeof ANY_RUN
export const ANY_CHARACTER = Symbol('?')
export const ANY_RUN = Symbol('*')

/**
 * Parses a glob. `*` is any run of characters, also dots and line ends, `?` is one character (code point), `\` escapes the
 * next one. Adjacent literals are joined, adjacent `*` are one.
 * @throws Error if a backslash ends the pattern
 */
export function parseGlob(pattern: string): readonly GlobToken[] {
  const tokens: GlobToken[] = []
  let literal = ''
  const wildcard = (token: GlobToken): void => {
    if (literal !== '') tokens.push(literal)
    literal = ''
    if (token !== ANY_RUN || tokens.at(-1) !== ANY_RUN) tokens.push(token)
  }
  for (let i = 0; i < pattern.length; i++) {
    const unit = pattern[i]!
    if (unit === '*') wildcard(ANY_RUN)
    else if (unit === '?') wildcard(ANY_CHARACTER)
    else if (unit !== '\\') literal += unit
    else if (++i < pattern.length) literal += pattern[i]!
    else throw new Error('it ends in a backslash, which escapes nothing. For a backslash write \\\\')
  }
  if (literal !== '') tokens.push(literal)
  return tokens
}

/** The only text that a glob without wildcards matches; undefined if it has a wildcard. */
export function globLiteral(tokens: readonly GlobToken[]): string | undefined {
  if (tokens.length === 0) return ''
  return tokens.length === 1 && typeof tokens[0] === 'string' ? tokens[0] : undefined
}

/** Makes a glob that matches only this text. */
export function escapeGlob(text: string): string {
  return text.replace(/[*?\\]/g, '\\$&')
}

/**
 * Matches a text without recursion. At a mismatch the last `*` takes one more character. Earlier ones never need to change,
 * because the rest that they leave is enough for any later one. Reports its steps to `spend`, at worst text × pattern.
 */
export function matchGlob(tokens: readonly GlobToken[], text: string, spend: (steps: number) => void): boolean {
  let at = 0
  let token = 0
  let star = -1
  let starAt = 0
  while (token < tokens.length || at < text.length) {
    const current = tokens[token]
    if (current === ANY_RUN) {
      star = token++
      starAt = at
      // The last run matches the rest.
      if (token === tokens.length) return true
      continue
    }
    if (typeof current === 'string') {
      spend(current.length)
      if (text.startsWith(current, at)) {
        at += current.length
        token++
        continue
      }
    } else if (current === ANY_CHARACTER && at < text.length) {
      at += widthAt(text, at)
      token++
      continue
    }
    if (star < 0 || starAt >= text.length) return false
    spend(1)
    starAt += widthAt(text, starAt)
    at = starAt
    token = star + 1
  }
  return true
}

function widthAt(text: string, at: number): 1 | 2 {
  return text.codePointAt(at)! > 0xffff ? 2 : 1
}
