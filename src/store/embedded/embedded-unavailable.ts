/**
 * The embedded store cannot run here, or not now. The message is one a person can act on: what is wrong with which
 * path, and what to do instead.
 */
export class EmbeddedUnavailable extends Error {
  constructor(problem: string, options?: ErrorOptions) {
    super(`the embedded Postgres cannot run: ${problem}`, options)
    this.name = 'EmbeddedUnavailable'
  }
}

/** The way out that every such message ends with. */
export const DATABASE_URL_HINT = 'set DATABASE_URL to use a Postgres server (14 or later) of your own'
