/**
 * Compares by code point, like UTF-8 bytes and Postgres' "C" collation. JavaScript's own `<` compares by UTF-16 unit,
 * which puts U+1F600 before U+FFFD. So surrogates count as higher than the rest of the plane.
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

/** Compares by code point two UTF-16 units that differ, at the same position of well-formed texts. */
export function compareUnits(x: number, y: number): number {
  return lifted(x) - lifted(y)
}

function lifted(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}

const BEYOND_ASCII = /[^\u0000-\u007f]/

/** Counts the UTF-8 bytes of a well-formed text. */
export function utf8Length(text: string): number {
  // Nearly all text is ASCII, which a regex scans several times faster than a loop.
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
