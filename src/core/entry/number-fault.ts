const UNSAFE = 2 ** 53

/**
 * Why a JSON number cannot be stored as written, or undefined if it can. Numbers are doubles, so these would change:
 * whole numbers that no double equals, and numbers that become infinite or 0. Any other decimal becomes the nearest
 * double, as in every JSON parser. Otherwise an altered identifier of 19 digits would go unnoticed.
 *
 * From 2^53 on, `JSON.stringify` rounds a double to the shortest digits that identify it, such as `1e+23`. Those are
 * valid too: they are returned digit for digit.
 */
export function numberFault(written: string): string | undefined {
  const value = Number(written)
  if (value !== 0 && Math.abs(value) < UNSAFE) return undefined
  if (Number.isNaN(value)) return `${shortened(written)} is not a JSON number`
  if (!Number.isFinite(value)) return `${shortened(written)} is outside the range of a JSON number. Write it as text`
  const { digits, exponent } = decimal(written)
  if (value === 0)
    return digits === ''
      ? undefined
      : `${shortened(written)} is too small for a JSON number. Write 0, or write it as text`
  if (exponent < 0) return undefined
  const exact = String(BigInt(Math.abs(value)))
  const shortest = String(Math.abs(value))
  const isSame = [exact, shortest].map(decimal).some((same) => same.digits === digits && same.exponent === exponent)
  if (isSame) return undefined
  return `${shortened(written)} would be rounded to ${value}. Write it as text`
}

/** The digits without zeros at either end, times a power of ten. Equal numbers have equal digits and powers. */
function decimal(written: string): { readonly digits: string; readonly exponent: number } {
  const [mantissa = '', power = '0'] = written.split(/[eE]/)
  const [whole = '', fraction = ''] = mantissa.replace(/^[-+]/, '').split('.')
  const all = whole + fraction
  let start = 0
  let end = all.length
  while (start < end && all[start] === '0') start++
  while (end > start && all[end - 1] === '0') end--
  return { digits: all.slice(start, end), exponent: Number(power) - fraction.length + all.length - end }
}

function shortened(text: string): string {
  return text.length > 40 ? `${text.slice(0, 37)}…` : text
}
