import type { FolderState } from './folder-cache.js'

/** An included file as it was when it was last held against a stamp. */
export interface VerifiedInclude {
  readonly path: string
  readonly signature: string
  /** Its folder and what that had told by then; undefined where no watch vouches for the file. */
  readonly folder: FolderState | undefined
  readonly told: number
}

/** That a location's content is what its stamp says, and by which look this was found. */
export interface VerifiedLocation {
  readonly stamp: string
  readonly signature: string
  /** The look proves it only together with a watch. */
  readonly fresh: boolean
  readonly included: readonly VerifiedInclude[]
  scan: number
}

/**
 * What was found out by reading and is not in stamps: that a touched file has its old content, that a file which was
 * read right after it was written has not been written again. Lost with the process, and then found out again.
 */
export class VerifiedLocations {
  readonly #locations = new Map<string, VerifiedLocation>()
  /** Locations of each archive, in order, and the look at the archive by which they were listed. */
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

  /** Files taken in that no watch tells of. */
  unvouchedIncludes(): readonly string[] {
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

  /** Forgets what a finished scan has not come by. */
  sweep(scan: number): void {
    for (const [location, { scan: last }] of this.#locations) if (last < scan) this.#locations.delete(location)
    for (const [location, { scan: last }] of this.#archives) if (last < scan) this.#archives.delete(location)
  }
}
