import { LRUCache } from 'lru-cache'
import type { Operation } from '../../core/ordering/operation.js'
import type { HistoryReader } from '../../store/contract/history-reader.js'

/** @bound Size of the cache of deltas. */
const CACHE_BYTES = 32 * 1024 * 1024
const OPERATION_BYTES = 300

export type ReadDelta = (from: number, to: number) => Promise<readonly Operation[]>

/**
 * Caches deltas between revisions, which never change. A client reads a long delta in pages, and computing it again for
 * each page would take time proportional to the square of its length. Equal deltas that are read at once share one read.
 */
export function cachedDeltas(history: Pick<HistoryReader, 'delta'>): ReadDelta {
  const deltas = new LRUCache<string, readonly Operation[]>({ maxSize: CACHE_BYTES, sizeCalculation: bytesOf })
  const reading = new Map<string, Promise<readonly Operation[]>>()

  return (from, to) => {
    const key = `${from} ${to}`
    const known = deltas.get(key)
    if (known !== undefined) return Promise.resolve(known)
    let read = reading.get(key)
    if (read === undefined) {
      read = history
        .delta(from, to)
        .then((operations) => {
          deltas.set(key, operations)
          return operations
        })
        .finally(() => reading.delete(key))
      reading.set(key, read)
    }
    return read
  }
}

function bytesOf(operations: readonly Operation[]): number {
  let bytes = OPERATION_BYTES
  for (const { content, original } of operations) bytes += OPERATION_BYTES + textsOf(content) + textsOf(original)
  return bytes
}

function textsOf(content: Operation['content']): number {
  return content === null ? 0 : 2 * (content.metaText.length + content.dataText.length)
}
