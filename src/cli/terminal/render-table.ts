import { printable } from './printable.js'
import type { Colors } from './terminal.js'

/** A table with columns as wide as their widest cell. */
export function renderTable(headings: readonly string[], rows: readonly (readonly string[])[], colors: Colors): string {
  return tableOf(headings, colors)(rows)
}

/**
 * A table whose rows arrive in parts. The returned function renders one part. The headings are above the first, and
 * columns only become wider: the rest of the table is not known yet.
 */
export function tableOf(headings: readonly string[], colors: Colors): (rows: readonly (readonly string[])[]) => string {
  let widths = headings.map(width)
  let isFirst = true
  return (rows) => {
    const cells = rows.map((row) => row.map(printable))
    widths = widths.map((widest, column) => Math.max(widest, ...cells.map((row) => width(row[column] ?? ''))))
    const line = (row: readonly string[]) =>
      row
        .map((cell, column) => cell + ' '.repeat(widths[column]! - width(cell)))
        .join('  ')
        .trimEnd()
    const above = isFirst ? [colors.bold(line(headings))] : []
    isFirst = false
    return [...above, ...cells.map(line)].map((text) => `${text}\n`).join('')
  }
}

/** Counts code points, which is correct for everything except wide scripts. */
function width(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}
