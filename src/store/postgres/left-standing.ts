import type { CommitRequest } from '../history-writer.js'
import type { Standing } from '../standing.js'
import { CountedUse } from './counted-use.js'

/** The server's clock is looked at again after that long: ours may go another way. */
const FRESH_MS = 10_000
/** Where an id was not new after all, others may not be either: what is rolled back costs as much as what is written. */
const DOUBTFUL_MS = 1_000

interface Left {
  readonly standing: Standing
  readonly stamp: string
}

/**
 * The registry as this gateway's last batch left it. A batch that does nothing but create entries can be planned on that, without
 * a look at the registry: that the pointer has not been touched since, and that none of its ids has ever been there, is
 * checked by the statement that writes it. Entries are mostly created once, and the look is half of what a lone one waits for.
 */
export class LeftStanding {
  #left: Left | null = null
  #doubtfulUntil = 0
  /** By the server's clock, and by ours. */
  #looked: { readonly now: Date; readonly at: number } | null = null

  /** A look at the registry has just said what time it is. */
  look(now: Date): void {
    this.#looked = { now, at: performance.now() }
  }

  keep(standing: Standing, stamp: string): void {
    this.#left = { standing: bare(standing), stamp }
  }

  forget(): void {
    this.#left = null
  }

  /** It was not as it was left. */
  doubt(): void {
    this.#left = null
    this.#doubtfulUntil = performance.now() + DOUBTFUL_MS
  }

  /** Null where the registry is to be looked at. */
  forBatch(requests: readonly CommitRequest[]): { readonly standing: Standing; readonly stamp: string } | null {
    const time = performance.now()
    if (this.#left === null || this.#looked === null || time < this.#doubtfulUntil || !requests.every(creates)) return null
    const since = time - this.#looked.at
    if (since > FRESH_MS) return null
    const { standing, stamp } = this.#left
    const now = new Date(Math.max(standing.now.getTime(), this.#looked.now.getTime() + Math.floor(since)))
    // A copy, since planning moves it on and the batch may yet not be written.
    return { standing: { ...bare(standing), now }, stamp }
  }
}

/** Without what is known of entries and keys. */
function bare(standing: Standing): Standing {
  return { ...standing, entries: new Map(), lastChanged: new Map(), replies: new Map(), use: new CountedUse() }
}

function creates({ action, dryRun }: CommitRequest): boolean {
  return !dryRun && action.type === 'changeset' && action.operations.every(({ kind }) => kind === 'CREATE')
}
