/**
 * Work in steps. At each `yield` it may pause or be given up. A step takes far less than a millisecond, whatever the
 * input is. The result does not depend on who runs the steps, or when.
 */
export type Steps<Result> = Generator<void, Result, void>

/** Items between two pauses, for work of about a microsecond an item. */
export const ITEMS_PER_STEP = 256

/** Runs all steps at once. */
export function runAtOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
  }
}

/** Visits all items, with a pause after every few hundred. */
export function* forEachInSteps<Item>(items: Iterable<Item>, visit: (item: Item, index: number) => void): Steps<void> {
  let index = 0
  for (const item of items) {
    visit(item, index)
    if (++index % ITEMS_PER_STEP === 0) yield
  }
}

/** Does the same as `flatMap`, in steps. */
export function* flatMapInSteps<Item, Result>(
  items: Iterable<Item>,
  map: (item: Item, index: number) => readonly Result[],
): Steps<Result[]> {
  const results: Result[] = []
  yield* forEachInSteps(items, (item, index) => {
    for (const result of map(item, index)) results.push(result)
  })
  return results
}
