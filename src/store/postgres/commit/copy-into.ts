import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { pauseIfDue } from '../../coalescing/time-slices.js'
import { type Column, columnNames } from '../base/columns.js'
import type { Transaction } from '../base/open-pool.js'
import type { ColumnReaders } from '../base/row-parameters.js'

/** The text for COPY is built in chunks of about this many characters. */
const CHUNK = 64 * 1024

/**
 * Copies items into a table in COPY's text format, a chunk at a time, as fast as the server accepts it. Chunks are made
 * in time slices.
 * @param groups - the items, a list at a time
 * @param readers - Read the value of each column from an item
 */
export async function copyInto<Item, Row>(
  sql: Transaction,
  table: string,
  columns: readonly Column[],
  groups: Iterable<readonly Item[]> | AsyncIterable<readonly Item[]>,
  readers: ColumnReaders<Row, Item>,
): Promise<void> {
  const target = await sql.unsafe(`COPY ${table} (${columnNames(columns)}) FROM STDIN`).writable()
  await pipeline(
    Readable.from(
      chunks(
        columns.map(({ key }) => readers[key as keyof Row]),
        groups,
      ),
    ),
    target,
  )
}

async function* chunks<Item>(
  readers: readonly ((item: Item, index: number) => unknown)[],
  groups: Iterable<readonly Item[]> | AsyncIterable<readonly Item[]>,
): AsyncGenerator<string> {
  let chunk = ''
  let index = 0
  for await (const items of groups) {
    for (const item of items) {
      for (const [i, read] of readers.entries()) {
        if (i > 0) chunk += '\t'
        for (const part of partsOf(read(item, index))) {
          chunk += part
          if (chunk.length < CHUNK) continue
          yield chunk
          chunk = ''
          const pause = pauseIfDue()
          if (pause !== undefined) await pause
        }
      }
      chunk += '\n'
      index++
    }
  }
  if (chunk !== '') yield chunk
}

/** A value as COPY reads it, in parts of about a chunk. */
function* partsOf(value: unknown): Generator<string> {
  if (value === null || value === undefined) yield '\\N'
  else if (value instanceof Uint8Array) {
    yield '\\\\x'
    for (let from = 0; from < value.length; from += CHUNK / 2)
      yield Buffer.from(value.buffer, value.byteOffset + from, Math.min(CHUNK / 2, value.length - from)).toString('hex')
  } else if (value instanceof Date) yield value.toISOString()
  else {
    const text = String(value)
    for (let from = 0, to: number; from < text.length; from = to) {
      to = from + CHUNK
      // Each chunk is encoded by itself, so none may end within a character.
      if (isHighSurrogate(text.charCodeAt(to - 1))) to++
      yield text.slice(from, to).replace(/[\\\n\r\t]/g, (character) => ESCAPES[character]!)
    }
  }
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff
}
