import { type DocumentNode, type FragmentDefinitionNode, Kind, type SelectionSetNode } from 'graphql'

/** What validation may have to do with a document. */
export interface OverlapLimits {
  /** Fields as an answer would hold them, fragments spread out. */
  readonly visits: number
  /** Pairs of fields of the same name in the same place: validation compares each with each, 2 µs a pair. */
  readonly pairs: number
}

/**
 * Whether validating a document would take too long. Its rule that fields of one name must agree compares
 * them in pairs: 2,400 times the same field takes it half a minute. This merges fields as an answer does, and
 * stops as soon as a limit is passed.
 */
export function selectionsOverlapTooMuch(document: DocumentNode, limits: OverlapLimits): boolean {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition)
  }
  let visits = 0
  let pairs = 0
  // A stack of its own: fragments that spread one another lead deeper than any document may nest.
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
