/**
 * What a `Retry-After` header asks for in milliseconds: seconds, or a date (RFC 9110, 10.2.3). Null where it says nothing
 * that can be read; a date that has passed is 0.
 */
export function retryAfterMs(header: string | undefined, now: number): number | null {
  const text = header?.trim() ?? ''
  if (/^\d+$/.test(text)) return Number(text) * 1_000
  // Date.parse reads a good deal that is no date: "-5" would be a month of 2001.
  if (!/^[A-Za-z]{3,9},? /.test(text)) return null
  const at = Date.parse(text)
  return Number.isNaN(at) ? null : Math.max(0, at - now)
}
