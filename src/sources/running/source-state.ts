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
  /** Number of passes that found something new. */
  readonly reloadCount: number
  /** The last pass or attempt, also without news. */
  readonly lastCheck: Date | null
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
  const state = JSON.parse(text) as Omit<SourceState, 'lastReload' | 'lastCheck'> & {
    lastReload: string | null
    /** Missing in states that an earlier release stored. */
    lastCheck?: string | null
  }
  const { lastReload, lastCheck } = state
  return { ...state, lastReload: dateOf(lastReload), lastCheck: dateOf(lastCheck ?? lastReload) }
}

function dateOf(text: string | null): Date | null {
  return text === null ? null : new Date(text)
}
