/** One result of a subscription, as it was sent. */
export interface StreamedResult {
  readonly data?: unknown
  readonly errors?: unknown
}
