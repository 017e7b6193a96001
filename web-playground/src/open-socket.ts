import { type Client, createClient } from 'graphql-ws'

const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 5_000

/** Doubling from 250 ms to 5 s, spread by half so that many pages do not come back at the same instant. */
const retryWait = (retries: number): Promise<void> => {
  const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(retries, 10))
  return new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random() / 2)))
}

/** A graphql-ws client that connects when first used and comes back by itself, however long the gateway is away. */
export const openSocket = (url: string, connectionParams?: Record<string, unknown>): Client =>
  createClient({
    url,
    ...(connectionParams ? { connectionParams } : {}),
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait,
    // A cable pulled out closes no socket; an unanswered ping does.
    keepAlive: 10_000,
  })
