/** The values that exist, by key. */
export function mapOf<Key, Value>(keys: readonly Key[], value: (key: Key) => Value | null): Map<Key, Value> {
  const found = new Map<Key, Value>()
  for (const key of keys) {
    const item = value(key)
    if (item !== null) found.set(key, item)
  }
  return found
}
