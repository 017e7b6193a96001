import type { Colors } from './terminal.js'
import { printable } from './terminal.js'

/** A table with columns as wide as their widest cell. */
export function renderTable(headings: readonly string[], rows: readonly (readonly string[])[], colors: Colors): string {
  const cells = rows.map((row) => row.map(printable))
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...cells.map((row) => width(row[column] ?? ''))),
  )
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell + ' '.repeat(widths[column]! - width(cell)))
      .join('  ')
      .trimEnd()
  return [colors.bold(line(headings)), ...cells.map(line)].map((text) => `${text}\n`).join('')
}

/** Counts code points, which is correct for everything except wide scripts. */
function width(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}
