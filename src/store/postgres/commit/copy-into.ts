import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Column, columnNames } from '../base/columns.js'
import type { Transaction } from '../base/retrying-client.js'

/** The text for COPY is built in chunks of about this many characters. */
const CHUNK = 64 * 1024

/** Copies rows into a table in COPY's text format, a chunk at a time, as fast as the server accepts it. */
export async function copyInto(
  sql: Transaction,
  table: string,
  columns: readonly Column[],
  rows: Iterable<object>,
): Promise<void> {
  const target = await sql.unsafe(`COPY ${table} (${columnNames(columns)}) FROM STDIN`).writable()
  await pipeline(
    Readable.from(
      chunks(
        columns.map(({ key }) => key),
        rows as Iterable<Readonly<Record<string, unknown>>>,
      ),
    ),
    target,
  )
}

function* chunks(keys: readonly string[], rows: Iterable<Readonly<Record<string, unknown>>>): Generator<string> {
  let chunk = ''
  for (const row of rows) {
    chunk += `${keys.map((key) => field(row[key])).join('\t')}\n`
    if (chunk.length >= CHUNK) {
      yield chunk
      chunk = ''
    }
  }
  if (chunk !== '') yield chunk
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function field(value: unknown): string {
  return value === null || value === undefined
    ? '\\N'
    : String(value).replace(/[\\\n\r\t]/g, (character) => ESCAPES[character]!)
}
