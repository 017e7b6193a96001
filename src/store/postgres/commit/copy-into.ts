import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Column, columnNames } from '../base/columns.js'
import type { Transaction } from '../base/retrying-client.js'
import type { ColumnReaders } from '../base/row-parameters.js'

/** The text for COPY is built in chunks of about this many characters. */
const CHUNK = 64 * 1024

/**
 * Copies items into a table in COPY's text format, a chunk at a time, as fast as the server accepts it.
 * @param readers - Read the value of each column from an item
 */
export async function copyInto<Item, Row>(
  sql: Transaction,
  table: string,
  columns: readonly Column[],
  items: readonly Item[],
  readers: ColumnReaders<Row, Item>,
): Promise<void> {
  const target = await sql.unsafe(`COPY ${table} (${columnNames(columns)}) FROM STDIN`).writable()
  await pipeline(
    Readable.from(
      chunks(
        columns.map(({ key }) => readers[key as keyof Row]),
        items,
      ),
    ),
    target,
  )
}

function* chunks<Item>(
  readers: readonly ((item: Item, index: number) => unknown)[],
  items: readonly Item[],
): Generator<string> {
  let chunk = ''
  for (const [i, item] of items.entries()) {
    chunk += `${readers.map((read) => field(read(item, i))).join('\t')}\n`
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
