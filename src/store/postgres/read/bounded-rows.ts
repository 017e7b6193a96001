import { getHeapStatistics } from 'node:v8'
import type { PendingQuery } from 'postgres'
import { RegistryError } from '../../../core/errors/registry-error.js'

const MIB = 1024 * 1024
/** @bound Contents of one page of entries that are read, or a quarter of the heap if that is less. */
export const PAGE_BYTES = 256 * 1024 * 1024
const HEAP_SHARE = 4

const limit = Math.min(PAGE_BYTES, Math.floor(getHeapStatistics().heap_size_limit / HEAP_SHARE))

/** Adds up the contents of a page, because 1,000 entries may have a GiB of them. */
export class PageSize {
  #size = 0

  /** @param most - Characters of all contents together */
  constructor(private readonly most: number = limit) {}

  get isTooLarge(): boolean {
    return this.#size > this.most
  }

  add(meta: string | null, data: string | null): void {
    this.#size += (meta?.length ?? 0) + (data?.length ?? 0)
  }

  error(): RegistryError {
    const message = `The entries of this page hold more than ${Math.floor(this.most / MIB)} MiB of contents. Request a smaller page (first, last).`
    return new RegistryError('TOO_LARGE', message)
  }
}

interface ContentRow {
  readonly meta: string | null
  readonly data: string | null
}

/**
 * Reads a page of rows with contents. Once they are too large together, it keeps none of them.
 * @throws RegistryError TOO_LARGE
 */
export async function boundedRows<Row extends ContentRow>(query: PendingQuery<Row[]>): Promise<Row[]> {
  const rows: Row[] = []
  const size = new PageSize()
  await query.forEach((row) => {
    const { meta, data } = row as ContentRow
    size.add(meta, data)
    if (size.isTooLarge) rows.length = 0
    else rows.push(row as Row)
  })
  if (size.isTooLarge) throw size.error()
  return rows
}
