import { getHeapStatistics } from 'node:v8'
import type { OverlapLimits } from './selection-overlap.js'

/** Limits of one GraphQL operation, on any transport. */
export interface OperationLimits {
  /** Characters of a document. Values belong in variables, which the body's own bound covers. */
  readonly documentLength: number
  readonly tokens: number
  /** Brackets of any kind within one another. */
  readonly nesting: number
  readonly aliases: number
  readonly overlap: OverlapLimits
  /** The greatest weight of an operation, by its fields and page sizes. */
  readonly weight: number
  /** Bytes of JSON in one answer, or in one result of a subscription. */
  readonly answerBytes: number
  readonly querySeconds: number
  /** Longer than the store takes for the largest changeset. */
  readonly mutationSeconds: number
}

export const OPERATION_LIMITS: OperationLimits = {
  /** @bound Characters of a GraphQL document. Values belong in variables. */
  documentLength: 2 * 1024 * 1024,
  /** @bound Tokens of a GraphQL document. */
  tokens: 100_000,
  /** @bound Nested brackets of any kind in a GraphQL document. */
  nesting: 250,
  /** @bound Aliases in a GraphQL document. */
  aliases: 1_000,
  overlap: { visits: 20_000, pairs: 50_000 },
  /**
   * @bound Weight of an operation: the objects in its answer, estimated from its page sizes, and the work of its costly
   * fields in the same unit.
   */
  weight: 500_000,
  /** @bound Bytes of an answer, or of one result of a subscription, unless `limits.answerBytes` is set. */
  answerBytes: 64 * 1024 * 1024,
  /** @bound Time for one query. */
  querySeconds: 30,
  /**
   * @bound Time for one mutation, unless `transactions.totalSeconds` allows more. It is longer than the store takes for
   * the largest changeset.
   */
  mutationSeconds: 120,
}

/** Share of V8's heap that one answer may take, because its contents are in memory several times while it is built. */
const HEAP_SHARE = 8

/** Returns the largest answer by default. Processes with less than 512 MiB of heap have smaller ones. */
export function defaultAnswerBytes(): number {
  return Math.min(OPERATION_LIMITS.answerBytes, Math.floor(getHeapStatistics().heap_size_limit / HEAP_SHARE))
}
