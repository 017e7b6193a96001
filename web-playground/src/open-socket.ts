import { type Client, createClient } from 'graphql-ws'

const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 5_000

/** Backs off from 250 ms to 5 s, with jitter so that many pages do not reconnect at the same time. */
const retryWait = (retries: number): Promise<void> => {
  const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(retries, 10))
  return new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random() / 2)))
}

/** A graphql-ws client that connects on first use and reconnects however long the gateway is away. */
export const openSocket = (url: string, connectionParams?: Record<string, unknown>): Client =>
  createClient({
    url,
    ...(connectionParams ? { connectionParams } : {}),
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait,
    // An unplugged cable closes no socket, but an unanswered ping does.
    keepAlive: 10_000,
  })
