import type { SourceFailure } from '../contract/source-failure.js'

export type SourceStatus = 'IDLE' | 'LOADING' | 'WATCHING' | 'FAILED'

/** The status of a source that every gateway shows. */
export interface SourceState {
  readonly name: string
  /** Name of the provider. */
  readonly provider: string
  /** FAILED only if the source as a whole cannot be read. */
  readonly status: SourceStatus
  /** Number of definitions, loaded and failed. */
  readonly total: number
  readonly loaded: number
  readonly failed: number
  readonly reloadCount: number
  readonly lastReload: Date | null
  /** At most `SHOWN_FAILURES`. */
  readonly failures: readonly SourceFailure[]
}

/** The outcome of a reload. */
export interface ReloadReport {
  readonly created: number
  readonly updated: number
  readonly deleted: number
  /** At most `SHOWN_FAILURES`. */
  readonly failures: readonly SourceFailure[]
  /** The last version that it created; null if nothing changed. */
  readonly version: number | null
}

export function writeState(state: SourceState): string {
  return JSON.stringify(state)
}

export function readState(text: string): SourceState {
  const state = JSON.parse(text) as Omit<SourceState, 'lastReload'> & { lastReload: string | null }
  return { ...state, lastReload: state.lastReload === null ? null : new Date(state.lastReload) }
}
