import { createHash } from 'node:crypto'
import type { EntryId } from '../../core/entry/entry-id.js'

/**
 * Without the version that wrote it: moving the head leaves an entry alone whose content is equal by value, whichever
 * version wrote it.
 */
export interface SummedEntry {
  readonly digest: string
}

const MODULUS = 1n << 256n

/**
 * A state as one number: the sum, modulo 2^256, of a hash of each of its entries (AdHash, Bellare and
 * Micciancio 1997). Adding, changing and removing an entry cost the same however large the state is, and
 * two states with the same sum are the same.
 */
export class StateSum {
  readonly #entries = new Map<EntryId, SummedEntry>()
  #value = 0n

  get value(): bigint {
    return this.#value
  }

  get(id: EntryId): SummedEntry | undefined {
    return this.#entries.get(id)
  }

  /** Undefined takes the entry out. */
  set(id: EntryId, entry: SummedEntry | undefined): void {
    const before = this.#entries.get(id)
    if (before !== undefined) this.#value = (this.#value - hash(id, before) + MODULUS) % MODULUS
    if (entry === undefined) {
      this.#entries.delete(id)
    } else {
      this.#value = (this.#value + hash(id, entry)) % MODULUS
      this.#entries.set(id, entry)
    }
  }
}

function hash(id: EntryId, { digest }: SummedEntry): bigint {
  return BigInt(`0x${createHash('sha256').update(`${id}\0${digest}`).digest('hex')}`)
}
