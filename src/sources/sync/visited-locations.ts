const STATUSES = ['unchanged', 'read', 'failed'] as const
export type LocationStatus = (typeof STATUSES)[number]

/** The locations that a pass has scanned, in their order. */
export class VisitedLocations {
  /** Order and status of each location, in one number to save memory. */
  readonly #visited = new Map<string, number>()

  get size(): number {
    return this.#visited.size
  }

  add(location: string, status: LocationStatus): void {
    this.#visited.set(location, this.#visited.size * STATUSES.length + STATUSES.indexOf(status))
  }

  has(location: string): boolean {
    return this.#visited.has(location)
  }

  /** The status of a location; undefined if it has not been visited. */
  status(location: string): LocationStatus | undefined {
    const seen = this.#visited.get(location)
    return seen === undefined ? undefined : STATUSES[seen % STATUSES.length]
  }

  /** Whether one visited location came before another. */
  isBefore(earlier: string, later: string): boolean {
    return this.#visited.get(earlier)! < this.#visited.get(later)!
  }

  /** Whether the archive or a folder of a location could not be read: `x.zip!/a.yaml`, `folder/a.yaml`. */
  isBehindFailure(location: string): boolean {
    for (let end = location.length; end > 0; end = location.lastIndexOf('/', end - 1)) {
      const above = location.slice(0, end)
      if (this.status(above.endsWith('!') ? above.slice(0, -1) : above) === 'failed') return true
    }
    return false
  }
}
