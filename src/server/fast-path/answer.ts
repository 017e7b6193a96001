/** An answer's JSON text. */
export interface AnswerText {
  readonly text: string
  /** Whether nothing could be begun: there are errors and no data. */
  readonly failed: boolean
}

/** Null: it is to be answered another way. */
export type OnAnswer = (answer: AnswerText | null) => void
