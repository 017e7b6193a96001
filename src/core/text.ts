/**
 * Orders by code point, as UTF-8 bytes and Postgres' "C" collation do. JavaScript's own `<` orders by
 * UTF-16 unit, which puts U+1F600 before U+FFFD: surrogates are lifted above the rest of the plane first.
 */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return lifted(x) - lifted(y)
  }
  return a.length - b.length
}

function lifted(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}
