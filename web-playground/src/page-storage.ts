const PREFIX = 'cadastre:'

/**
 * What the editor remembers, under names of this page's own: other pages of the same host keep theirs, also when the
 * editor is asked to clear everything. Null where the browser forbids storage: the page then remembers nothing.
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
