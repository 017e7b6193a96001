import { usageFailure } from '../terminal/command-failure.js'

export const DEFAULT_URL = 'http://127.0.0.1:4000/graphql'

/**
 * The endpoint for a given `--url`. The path `/graphql` and the scheme may be omitted.
 * @throws CommandFailure (usage)
 */
export function gatewayUrl(given: string): URL {
  let url: URL
  try {
    url = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(given) ? given : `http://${given}`)
  } catch {
    throw usageFailure(`${given} is not a URL of a gateway. Write it like ${DEFAULT_URL}`)
  }
  if (url.protocol === 'ws:' || url.protocol === 'wss:') url.protocol = url.protocol === 'ws:' ? 'http:' : 'https:'
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw usageFailure(`${given} is not a URL of a gateway. Its scheme must be http or https`)
  if (!url.pathname.endsWith('/graphql')) url.pathname = `${url.pathname.replace(/\/+$/, '')}/graphql`
  return url
}

/** The WebSocket URL of the same endpoint. */
export function gatewaySocketUrl(url: URL): string {
  const socket = new URL(url)
  socket.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  return socket.href
}
