import type { OverlapLimits } from './selection-overlap.js'

/** What one GraphQL operation may cost, whoever sends it over whichever transport. */
export interface OperationLimits {
  /** Characters of a document. Values belong in variables, which the body's own bound covers. */
  readonly documentLength: number
  readonly tokens: number
  /** Brackets of any kind within one another. */
  readonly nesting: number
  readonly aliases: number
  readonly overlap: OverlapLimits
  /** Objects that the answer could hold, by its page sizes. */
  readonly nodes: number
  readonly querySeconds: number
  /** Longer than the store takes for the largest changeset. */
  readonly mutationSeconds: number
}

export const OPERATION_LIMITS: OperationLimits = {
  documentLength: 2 * 1024 * 1024,
  tokens: 100_000,
  nesting: 250,
  aliases: 1_000,
  overlap: { visits: 20_000, pairs: 50_000 },
  nodes: 500_000,
  querySeconds: 30,
  mutationSeconds: 120,
}
