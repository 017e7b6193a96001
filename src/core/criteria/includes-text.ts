/** Above this product of lengths the engine's own search, quadratic at worst, could take more than about 10 ms. */
const QUADRATIC_LIMIT = 10_000_000

/** Whether `text` has `part` as a substring, in time proportional to the sum of their lengths, not the product. */
export function includesText(text: string, part: string): boolean {
  return text.length * part.length <= QUADRATIC_LIMIT ? text.includes(part) : includesLinear(text, part)
}

/** The algorithm of Knuth, Morris and Pratt. `borders[i]` is the longest proper border of the part's first i + 1 units. */
export function includesLinear(text: string, part: string): boolean {
  if (part === '') return true
  const borders = new Uint32Array(part.length)
  for (let i = 1, matched = 0; i < part.length; i++) {
    while (matched > 0 && part.charCodeAt(i) !== part.charCodeAt(matched)) matched = borders[matched - 1]!
    if (part.charCodeAt(i) === part.charCodeAt(matched)) matched++
    borders[i] = matched
  }
  for (let i = 0, matched = 0; i < text.length; i++) {
    while (matched > 0 && text.charCodeAt(i) !== part.charCodeAt(matched)) matched = borders[matched - 1]!
    if (text.charCodeAt(i) === part.charCodeAt(matched)) matched++
    if (matched === part.length) return true
  }
  return false
}
