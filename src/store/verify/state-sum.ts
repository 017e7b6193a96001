import { createHash } from 'node:crypto'
import type { EntryId } from '../../core/entry/entry-id.js'

/**
 * An entry without the version that wrote it: when the head moves, an entry with equal content is left unchanged,
 * whichever version wrote it.
 */
export interface SummedEntry {
  readonly digest: string
}

const MODULUS = 1n << 256n

/**
 * A state as one number: the sum of a hash of each entry, modulo 2^256 (AdHash, Bellare and Micciancio 1997). Adding,
 * changing or removing an entry takes the same time however large the state is. Two states with the same sum are equal.
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

  /** Sets an entry; undefined removes it. */
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
