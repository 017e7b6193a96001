const PREFIX = 'cadastre:'

/**
 * The storage of the editor, under a prefix of this page. Other pages of the same host keep their items, even if the editor
 * clears its storage. Null if the browser forbids storage; then the page stores nothing.
 */
export const openPageStorage = (): Storage | null => {
  try {
    const storage = window.localStorage
    const ours = () => Object.keys(storage).filter((key) => key.startsWith(PREFIX))
    return {
      getItem: (key) => storage.getItem(PREFIX + key),
      setItem: (key, value) => storage.setItem(PREFIX + key, value),
      removeItem: (key) => storage.removeItem(PREFIX + key),
      clear: () => ours().forEach((key) => storage.removeItem(key)),
      key: (index) => ours()[index]?.slice(PREFIX.length) ?? null,
      get length() {
        return ours().length
      },
    }
  } catch {
    return null
  }
}
