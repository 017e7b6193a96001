/**
 * Parses a `Retry-After` header, seconds or a date (RFC 9110, 10.2.3), to milliseconds. Null if it is missing or invalid; 0
 * for a date in the past.
 */
export function retryAfterMs(header: string | undefined, now: number): number | null {
  const text = header?.trim() ?? ''
  if (/^\d+$/.test(text)) return Number(text) * 1_000
  // Date.parse accepts much that is not a date: "-5" would be a month of 2001.
  if (!/^[A-Za-z]{3,9},? /.test(text)) return null
  const at = Date.parse(text)
  return Number.isNaN(at) ? null : Math.max(0, at - now)
}
