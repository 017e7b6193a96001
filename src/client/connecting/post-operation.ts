import { ClientError, errorOfResult } from './client-error.js'
import type { Connection } from './client-options.js'

/**
 * Executes a query or mutation over HTTP.
 * @throws ClientError with the code of the gateway's first error, or UNREACHABLE, TIMEOUT or NOT_A_GATEWAY
 */
export async function postOperation<Data>(
  { url, headers, requestTimeoutMs }: Connection,
  query: string,
  variables: object,
  signal?: AbortSignal,
): Promise<Data> {
  const deadline = AbortSignal.timeout(requestTimeoutMs)
  let text: string
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { accept: 'application/json', 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query, variables }),
      signal: signal === undefined ? deadline : AbortSignal.any([deadline, signal]),
    })
    text = await response.text()
  } catch (cause) {
    if (signal?.aborted === true) throw signal.reason
    if (deadline.aborted) throw new ClientError(`${url} did not answer within ${requestTimeoutMs} ms.`, 'TIMEOUT')
    throw new ClientError(`${url} cannot be reached.`, 'UNREACHABLE', { cause })
  }
  const result = resultOf(text, url)
  if (result.errors !== undefined) throw errorOfResult(result.errors)
  return result.data as Data
}

function resultOf(text: string, url: string): { readonly data?: unknown; readonly errors?: unknown } {
  try {
    const result = JSON.parse(text) as { data?: unknown; errors?: unknown } | null
    if (typeof result === 'object' && result !== null && ('data' in result || 'errors' in result)) return result
  } catch {
    // A proxy in front of a gateway that is away answers with a page.
  }
  throw new ClientError(`${url} answered without GraphQL.`, 'UNREACHABLE')
}
