/**
 * The embedded store cannot run here, or not now. The message names the path, the problem and what to do.
 */
export class EmbeddedUnavailable extends Error {
  constructor(problem: string, options?: ErrorOptions) {
    super(`the embedded Postgres cannot run: ${problem}`, options)
    this.name = 'EmbeddedUnavailable'
  }
}

/** The end of every such message. */
export const DATABASE_URL_HINT = 'set DATABASE_URL to use a Postgres server (14 or later) of your own'
