import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'

export interface SentRequest {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly signal: AbortSignal
}

export interface ReceivedAnswer {
  readonly status: number
  readonly text: string
}

/**
 * Sends a POST request and reads the whole answer. It follows no redirects. `fetch` refuses some ports, such as 6000 and
 * 10080, on which a gateway may listen.
 * @throws the network's error, or the signal's reason
 */
export function sendRequest(url: URL, { headers, body, signal }: SentRequest): Promise<ReceivedAnswer> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(signal.aborted ? (signal.reason as Error) : error)
    const send = url.protocol === 'https:' ? requestHttps : requestHttp
    send(url, { method: 'POST', headers, signal }, (response) => readText(response).then(resolve, fail))
      .on('error', fail)
      // With a text, Node would encode the headers as UTF-8 too.
      .end(Buffer.from(body, 'utf8'))
  })
}

async function readText(response: IncomingMessage): Promise<ReceivedAnswer> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }
}
