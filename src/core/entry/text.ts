/**
 * Orders by code point, as UTF-8 bytes and Postgres' "C" collation do. JavaScript's own `<` orders by
 * UTF-16 unit, which puts U+1F600 before U+FFFD: surrogates are lifted above the rest of the plane first.
 */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return compareUnits(x, y)
  }
  return a.length - b.length
}

/** Orders two UTF-16 units that differ, standing at the same place of well-formed text, by code point. */
export function compareUnits(x: number, y: number): number {
  return lifted(x) - lifted(y)
}

function lifted(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}

const BEYOND_ASCII = /[^\u0000-\u007f]/

/** Bytes of well-formed text in UTF-8. */
export function utf8Length(text: string): number {
  // A regex scans ASCII, which nearly all text is, several times faster than a loop.
  const start = text.search(BEYOND_ASCII)
  if (start < 0) return text.length
  let bytes = start
  for (let i = start; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    // Either half of a surrogate pair accounts for two of its four bytes.
    bytes += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 2 : 3
  }
  return bytes
}
