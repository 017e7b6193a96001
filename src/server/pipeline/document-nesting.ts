/**
 * Whether a document's brackets nest deeper than `maxDepth`. Scans the text without a parser, because a document with
 * 20,000 levels would overflow the stack of a recursive one. Skips strings and comments.
 */
export function documentNestsDeeperThan(document: string, maxDepth: number): boolean {
  let depth = 0
  for (let i = 0; i < document.length; i++) {
    switch (document.charCodeAt(i)) {
      case 0x28:
      case 0x5b:
      case 0x7b: // ( [ {
        if (++depth > maxDepth) return true
        break
      case 0x29:
      case 0x5d:
      case 0x7d: // ) ] }
        depth -= 1
        break
      case 0x22: // "
        i = endOfString(document, i)
        break
      case 0x23: // #
        i = endOfLine(document, i)
        break
    }
  }
  return false
}

function endOfString(document: string, start: number): number {
  if (document.startsWith('"""', start)) {
    for (let end = document.indexOf('"""', start + 3); end >= 0; end = document.indexOf('"""', end + 3)) {
      if (document[end - 1] !== '\\') return end + 2
    }
    return document.length
  }
  for (let i = start + 1; i < document.length; i++) {
    const unit = document.charCodeAt(i)
    if (unit === 0x5c)
      i += 1 // a backslash escapes the next character
    else if (unit === 0x22 || unit === 0x0a || unit === 0x0d) return i
  }
  return document.length
}

function endOfLine(document: string, start: number): number {
  for (let i = start; i < document.length; i++) {
    const unit = document.charCodeAt(i)
    if (unit === 0x0a || unit === 0x0d) return i
  }
  return document.length
}
