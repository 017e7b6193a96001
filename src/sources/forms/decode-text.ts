import { isUtf8 } from 'node:buffer'

/** Decodes a file as UTF-8 without byte order mark, or returns the line (from 1) of the first invalid bytes. */
export function decodeText(bytes: Buffer): { readonly text: string } | { readonly badLine: number } {
  if (!isUtf8(bytes)) return { badLine: firstBadLine(bytes) }
  const text = bytes.toString('utf8')
  return { text: text.startsWith('\ufeff') ? text.slice(1) : text }
}

function firstBadLine(bytes: Buffer): number {
  let line = 1
  let start = 0
  for (let end = bytes.indexOf(10); end >= 0 && isUtf8(bytes.subarray(start, end)); end = bytes.indexOf(10, start)) {
    line++
    start = end + 1
  }
  return line
}
