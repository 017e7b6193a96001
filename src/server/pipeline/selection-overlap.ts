import { type DocumentNode, type FragmentDefinitionNode, Kind, type SelectionSetNode } from 'graphql'

/** The maximum amount of work for validating a document. */
export interface OverlapLimits {
  /** Selected fields, with fragments expanded. */
  readonly visits: number
  /** Pairs of fields with the same response name in the same place. Validation compares each pair, in 2 µs. */
  readonly pairs: number
}

/**
 * Whether validating a document would take too long. The rule that fields with one response name must agree compares
 * them in pairs, which takes half a minute for 2,400 equal fields. This function merges fields like an answer does, and
 * stops at the first limit.
 */
export function selectionsOverlapTooMuch(document: DocumentNode, limits: OverlapLimits): boolean {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition)
  }
  let visits = 0
  let pairs = 0
  // An explicit stack, because fragments that spread one another may nest deeper than a document.
  const places: SelectionSetNode[][] = document.definitions.flatMap((definition) =>
    'selectionSet' in definition ? [[definition.selectionSet]] : [],
  )

  for (let place = places.pop(); place !== undefined; place = places.pop()) {
    const spread = new Set<string>()
    const fields = new Map<string, { count: number; below: SelectionSetNode[] }>()
    const sets = [...place]
    for (let set = sets.pop(); set !== undefined; set = sets.pop()) {
      for (const selection of set.selections) {
        if (++visits > limits.visits) return true
        if (selection.kind === Kind.INLINE_FRAGMENT) sets.push(selection.selectionSet)
        else if (selection.kind === Kind.FRAGMENT_SPREAD) {
          const fragment = spread.has(selection.name.value) ? undefined : fragments.get(selection.name.value)
          spread.add(selection.name.value)
          if (fragment !== undefined) sets.push(fragment.selectionSet)
        } else {
          const name = (selection.alias ?? selection.name).value
          const same = fields.get(name) ?? { count: 0, below: [] }
          pairs += same.count
          if (pairs > limits.pairs) return true
          same.count += 1
          if (selection.selectionSet !== undefined) same.below.push(selection.selectionSet)
          fields.set(name, same)
        }
      }
    }
    for (const { below } of fields.values()) if (below.length > 0) places.push(below)
  }
  return false
}
