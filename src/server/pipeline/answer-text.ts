import type { JsonText } from '../../graphql/results/long-text.js'

/** The JSON text of a complete answer. */
export interface AnswerText {
  readonly text: JsonText
  /** Whether nothing was executed: the answer has errors and no data. */
  readonly failed: boolean
  /** Whether it has errors, with data or without. */
  readonly hasErrors: boolean
}

/** Receives an answer, or null if another path has to answer the request. Must not throw. */
export type OnAnswer = (answer: AnswerText | null) => void
