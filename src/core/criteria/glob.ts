/** One element of a glob: a literal run, one character, or any run of characters. */
export type GlobToken = string | typeof ANY_CHARACTER | typeof ANY_RUN
export const ANY_CHARACTER = Symbol('?')
export const ANY_RUN = Symbol('*')

/**
 * `*` any run of characters, dots and line ends included, `?` one character (code point), `\` takes the next
 * one as it is. Literal runs are joined, neighbouring `*` are one.
 * @throws Error where a backslash ends the pattern: it escapes nothing
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
    else throw new Error('it ends in a backslash, which escapes nothing; write \\\\ for a backslash')
  }
  if (literal !== '') tokens.push(literal)
  return tokens
}

/** The text that a glob without wildcards stands for; undefined where it has one. */
export function globLiteral(tokens: readonly GlobToken[]): string | undefined {
  if (tokens.length === 0) return ''
  return tokens.length === 1 && typeof tokens[0] === 'string' ? tokens[0] : undefined
}

/** A glob that matches this text and no other. */
export function escapeGlob(text: string): string {
  return text.replace(/[*?\\]/g, '\\$&')
}

/**
 * Matches without recursion: at a mismatch the last `*` takes one character more, and earlier ones are never
 * gone back to (what they left is enough for any later one). At worst text × pattern steps, told to `spend`.
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
      // The last run takes all the rest.
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
