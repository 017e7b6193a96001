/** Limits of one JSON text. Its length does not bound the memory of its values: `{}` takes 2 bytes and becomes 56. */
export interface JsonBounds {
  /** Objects and lists. */
  readonly containers: number
  /** All values, also strings, numbers and literals. */
  readonly values: number
  /** Nesting of objects and lists. */
  readonly depth: number
}

/** @bound Objects and lists in a request for each operation that a changeset may have, beside 10,000. */
const CONTAINERS_PER_OPERATION = 20
/** @bound Values in a request for each operation that a changeset may have, beside 100,000. */
const VALUES_PER_OPERATION = 100
/** @bound Nesting of a request. What is read of it is nested at most 1,000 deep, but a deeper value is one problem of its entry. */
const REQUEST_DEPTH = 200_000

/** The bounds of a request. @param operations - How many operations a changeset may have */
export function requestBounds(operations: number): JsonBounds {
  return {
    containers: 10_000 + CONTAINERS_PER_OPERATION * operations,
    values: 100_000 + VALUES_PER_OPERATION * operations,
    depth: REQUEST_DEPTH,
  }
}
