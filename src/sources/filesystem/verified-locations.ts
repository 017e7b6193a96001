import type { FolderState } from './folder-cache.js'

/** An included file at its last comparison with a stamp. */
export interface VerifiedInclude {
  readonly path: string
  readonly signature: string
  /** Its folder, and the folder's events by then. Undefined if no watcher covers the file. */
  readonly folder: FolderState | undefined
  readonly events: number
}

/** Proof that a location's content matches its stamp, and the file state that proves it. */
export interface VerifiedLocation {
  readonly stamp: string
  readonly signature: string
  /** A fresh state proves it only together with a watcher. */
  readonly fresh: boolean
  readonly included: readonly VerifiedInclude[]
  scan: number
}

/**
 * Caches results of reading that the stamps do not contain. For example, a touched file has its old content, or a file
 * that was read right after a write has not been written again. After a restart the files are read again.
 */
export class VerifiedLocations {
  readonly #locations = new Map<string, VerifiedLocation>()
  /** Locations of each archive, in order, and the state of the archive when they were listed. */
  readonly #archives = new Map<
    string,
    { readonly signature: string; readonly fresh: boolean; readonly locations: readonly string[]; scan: number }
  >()

  get(location: string): VerifiedLocation | undefined {
    return this.#locations.get(location)
  }

  set(location: string, verified: VerifiedLocation): void {
    this.#locations.set(location, verified)
  }

  delete(location: string): void {
    this.#locations.delete(location)
  }

  archive(location: string) {
    return this.#archives.get(location)
  }

  setArchive(location: string, signature: string, fresh: boolean, locations: readonly string[], scan: number): void {
    this.#archives.set(location, { signature, fresh, locations, scan })
  }

  deleteArchive(location: string): void {
    this.#archives.delete(location)
  }

  /** Included files that no watcher covers. */
  unwatchedIncludes(): readonly string[] {
    const paths = new Set<string>()
    for (const { included } of this.#locations.values()) {
      for (const { path, folder } of included) if (folder?.watcher === undefined) paths.add(path)
    }
    return [...paths].sort()
  }

  clear(): void {
    this.#locations.clear()
    this.#archives.clear()
  }

  /** Drops the locations that a complete scan did not visit. */
  sweep(scan: number): void {
    for (const [location, { scan: last }] of this.#locations) if (last < scan) this.#locations.delete(location)
    for (const [location, { scan: last }] of this.#archives) if (last < scan) this.#archives.delete(location)
  }
}
