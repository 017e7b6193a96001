import type { SourceFailure } from '../contract/source-failure.js'

export type SourceStatus = 'IDLE' | 'LOADING' | 'WATCHING' | 'FAILED'

/** What is shown of a source, at any gateway. */
export interface SourceState {
  readonly name: string
  /** The provider that reads it. */
  readonly provider: string
  /** FAILED only where the source as a whole cannot be read. */
  readonly status: SourceStatus
  /** Definitions: those loaded and those failed. */
  readonly total: number
  readonly loaded: number
  readonly failed: number
  readonly reloadCount: number
  readonly lastReload: Date | null
  /** The first `SHOWN_FAILURES` of them. */
  readonly failures: readonly SourceFailure[]
}

/** What came of loading a source anew. */
export interface ReloadReport {
  readonly created: number
  readonly updated: number
  readonly deleted: number
  /** The first `SHOWN_FAILURES` of them. */
  readonly failures: readonly SourceFailure[]
  /** The last one that it made; null where nothing was to be changed. */
  readonly version: number | null
}

export function writeState(state: SourceState): string {
  return JSON.stringify(state)
}

export function readState(text: string): SourceState {
  const state = JSON.parse(text) as Omit<SourceState, 'lastReload'> & { lastReload: string | null }
  return { ...state, lastReload: state.lastReload === null ? null : new Date(state.lastReload) }
}
