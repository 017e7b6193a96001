import { ITEMS_PER_STEP, type Steps } from './steps.js'

/** Returns the items sorted, as `sort` does: stable, and without changing the list. A merge sort, in steps. */
export function* sortInSteps<Item>(
  items: readonly Item[],
  compare: (a: Item, b: Item) => number,
): Steps<readonly Item[]> {
  if (items.length <= ITEMS_PER_STEP) return items.slice().sort(compare)
  let runs: (readonly Item[])[] = []
  for (let from = 0; from < items.length; from += ITEMS_PER_STEP) {
    if (from > 0) yield
    runs.push(items.slice(from, from + ITEMS_PER_STEP).sort(compare))
  }
  while (runs.length > 1) {
    const merged: (readonly Item[])[] = []
    for (let i = 0; i < runs.length; i += 2) {
      const second = runs[i + 1]
      merged.push(second === undefined ? runs[i]! : yield* merge(runs[i]!, second, compare))
    }
    runs = merged
  }
  return runs[0]!
}

function* merge<Item>(
  first: readonly Item[],
  second: readonly Item[],
  compare: (a: Item, b: Item) => number,
): Steps<readonly Item[]> {
  const merged: Item[] = []
  let a = 0
  let b = 0
  // Input is often sorted already.
  const isSorted = compare(first[first.length - 1]!, second[0]!) <= 0
  while (a < first.length || b < second.length) {
    const isFirst = b === second.length || (a < first.length && (isSorted || compare(first[a]!, second[b]!) <= 0))
    merged.push(isFirst ? first[a++]! : second[b++]!)
    if (merged.length % ITEMS_PER_STEP === 0) yield
  }
  return merged
}
