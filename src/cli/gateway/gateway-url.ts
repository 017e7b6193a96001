import { usageFailure } from '../terminal/command-failure.js'

export const DEFAULT_URL = 'http://127.0.0.1:4000/graphql'

/**
 * The endpoint that `--url` means: a gateway's address with or without `/graphql`, with or without a scheme.
 * @throws Failure (usage)
 */
export function gatewayUrl(given: string): URL {
  let url: URL
  try {
    url = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(given) ? given : `http://${given}`)
  } catch {
    throw usageFailure(`${given} is no address of a gateway; one looks like ${DEFAULT_URL}`)
  }
  if (url.protocol === 'ws:' || url.protocol === 'wss:') url.protocol = url.protocol === 'ws:' ? 'http:' : 'https:'
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw usageFailure(`${given}: a gateway speaks http or https`)
  if (!url.pathname.endsWith('/graphql')) url.pathname = `${url.pathname.replace(/\/+$/, '')}/graphql`
  return url
}

/** The same endpoint for subscriptions. */
export function gatewaySocketUrl(url: URL): string {
  const socket = new URL(url)
  socket.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  return socket.href
}
