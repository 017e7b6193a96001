/** One step of the path from one version to another. */
export interface PathStep {
  readonly direction: 'FORWARD' | 'BACKWARD'
  /** The version whose changeset this step applies (FORWARD) or inverts (BACKWARD). */
  readonly version: number
}

/**
 * Finds the nearest common ancestor of two versions. A version counts as its own ancestor. A lineage goes from the
 * version itself up to v0.
 * @throws Error if the lineages do not end in the same root
 */
export function commonAncestor(lineageA: readonly number[], lineageB: readonly number[]): number {
  const shared = sharedLength(lineageA, lineageB)
  return lineageA[lineageA.length - shared]!
}

/** The path back to the common ancestor, then forward. Empty if both are the same version. */
export function pathBetween(lineageFrom: readonly number[], lineageTo: readonly number[]): PathStep[] {
  const shared = sharedLength(lineageFrom, lineageTo)
  const back = lineageFrom.slice(0, lineageFrom.length - shared)
  const forward = lineageTo.slice(0, lineageTo.length - shared).reverse()
  return [
    ...back.map((version): PathStep => ({ direction: 'BACKWARD', version })),
    ...forward.map((version): PathStep => ({ direction: 'FORWARD', version })),
  ]
}

/** Counts the versions that two lineages share, from the root. */
function sharedLength(a: readonly number[], b: readonly number[]): number {
  let shared = 0
  while (shared < a.length && shared < b.length && a[a.length - 1 - shared] === b[b.length - 1 - shared]) shared++
  if (shared === 0) throw new Error('two lineages do not end in the same root')
  return shared
}
