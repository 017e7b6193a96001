export interface ClientOptions {
  /** The URL of the GraphQL endpoint, e.g. `http://localhost:4000/graphql`. */
  readonly url: string
  /** Sent as `Authorization: Bearer`. */
  readonly token?: string
  /** Headers of every request over HTTP. */
  readonly headers?: Readonly<Record<string, string>>
  /**
   * The WebSocket class that subscriptions use, e.g. of the package `ws`. By default the one of the platform. Without
   * any, or with null, they use server-sent events.
   */
  readonly webSocketImpl?: unknown
  /** Time for one request. 120,000 by default, as long as the gateway takes for a mutation. */
  readonly requestTimeoutMs?: number
}

const REQUEST_TIMEOUT_MS = 120_000

/** The options with their defaults. */
export interface Connection {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Null for server-sent events. */
  readonly webSocketImpl: unknown
  readonly requestTimeoutMs: number
}

export function connectionOf(options: ClientOptions): Connection {
  const { url, token, headers, webSocketImpl, requestTimeoutMs = REQUEST_TIMEOUT_MS } = options
  return {
    url,
    headers: { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    webSocketImpl:
      webSocketImpl === undefined ? ((globalThis as { WebSocket?: unknown }).WebSocket ?? null) : webSocketImpl,
    requestTimeoutMs,
  }
}
