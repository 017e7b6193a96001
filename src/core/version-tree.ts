/** One step on the way from one version to another. */
export interface PathStep {
  readonly direction: 'FORWARD' | 'BACKWARD'
  /** The version whose changeset this step applies (FORWARD) or inverts (BACKWARD). */
  readonly version: number
}
