/** The fields of a version that the layout needs. */
export interface TreeVersion {
  readonly number: number
  readonly previous: { readonly number: number } | null
}

/** The position of a version. Rows count from the newest at the top, lanes from the left. */
export interface NodePosition {
  readonly number: number
  readonly row: number
  readonly lane: number
  /** The parent's position; `below` if it is older than the drawn versions, `none` for the root. */
  readonly parent: { readonly row: number; readonly lane: number } | 'below' | 'none'
}

export interface TreeLayout {
  readonly places: readonly NodePosition[]
  readonly laneCount: number
}

/**
 * Places versions (ascending by number) so that no line crosses a node. From the newest down, each lane waits for one
 * number: the parent of the version above it in that lane. The leftmost lane waits for the head from the top, so the head's
 * lineage is always the straight line on the left.
 */
export const layoutTree = (versions: readonly TreeVersion[], head: number | undefined): TreeLayout => {
  const newestFirst = [...versions].reverse()
  const headIsDrawn = newestFirst.some((version) => version.number === head)
  const waiting: (number | undefined)[] = headIsDrawn ? [head] : []
  const rowOf = new Map(newestFirst.map((version, row) => [version.number, row]))
  const laneOf = new Map<number, number>()
  let laneCount = 0

  for (const { number, previous } of newestFirst) {
    const found = waiting.indexOf(number)
    const free = waiting.indexOf(undefined)
    const lane = found >= 0 ? found : free >= 0 ? free : waiting.length
    for (const [index, awaited] of waiting.entries()) if (awaited === number) waiting[index] = undefined
    waiting[lane] = previous?.number
    laneOf.set(number, lane)
    laneCount = Math.max(laneCount, lane + 1)
  }

  const places = newestFirst.map(({ number, previous }, row): NodePosition => {
    const parentRow = previous ? rowOf.get(previous.number) : undefined
    const parent =
      parentRow !== undefined && previous
        ? { row: parentRow, lane: laneOf.get(previous.number) ?? 0 }
        : previous
          ? 'below'
          : 'none'
    return { number, row, lane: laneOf.get(number) ?? 0, parent }
  })
  return { places, laneCount }
}
