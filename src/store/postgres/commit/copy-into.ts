import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Transaction } from '../base/retrying-client.js'

/** Text for COPY is made in pieces of about this many characters. */
const PIECE = 64 * 1024

/** COPY of rows given column by column, in the text format; a piece at a time, as fast as the server takes it. */
export async function copyInto(
  sql: Transaction,
  table: string,
  values: Readonly<Record<string, readonly unknown[]>>,
  rowCount: number,
): Promise<void> {
  if (rowCount === 0) return
  const columns = Object.keys(values)
  const target = await sql.unsafe(`COPY ${table} (${columns.join(', ')}) FROM STDIN`).writable()
  await pipeline(
    Readable.from(
      pieces(
        columns.map((column) => values[column]!),
        rowCount,
      ),
    ),
    target,
  )
}

function* pieces(columns: readonly (readonly unknown[])[], rowCount: number): Generator<string> {
  let piece = ''
  for (let row = 0; row < rowCount; row++) {
    piece += `${columns.map((column) => field(column[row])).join('\t')}\n`
    if (piece.length >= PIECE) {
      yield piece
      piece = ''
    }
  }
  if (piece !== '') yield piece
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function field(value: unknown): string {
  return value === null || value === undefined
    ? '\\N'
    : String(value).replace(/[\\\n\r\t]/g, (character) => ESCAPES[character]!)
}
