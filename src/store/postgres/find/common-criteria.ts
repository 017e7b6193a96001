import { LRUCache } from 'lru-cache'

/** @bound Time for which a find remembers that its criteria match more rows than it looks up. */
const COMMON_FOR_MS = 60_000
/** @bound Criteria that match more rows than a find looks up, remembered by each gateway. */
const MAX_COMMON = 1_000
/** Longer criteria are not remembered. */
const MAX_KEY_LENGTH = 2_000

/** Remembers criteria that match more rows than a find looks up, so that they are not looked up each time. */
export class CommonCriteria {
  readonly #keys = new LRUCache<string, true>({ max: MAX_COMMON, ttl: COMMON_FOR_MS })

  has(key: string): boolean {
    return this.#keys.get(key) === true
  }

  add(key: string): void {
    if (key.length <= MAX_KEY_LENGTH) this.#keys.set(key, true)
  }
}
