import http from 'node:http'
import https from 'node:https'
import { pipeline } from 'node:stream/promises'
import { bodyDecoders } from './body-decoders.js'
import { HttpFailure, httpFailure } from './http-failure.js'
import type { HttpLimits } from './http-limits.js'

export interface HttpGetOptions {
  readonly headers: http.OutgoingHttpHeaders
  readonly agent: http.Agent
  readonly limits: HttpLimits
  readonly signal: AbortSignal
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  /** Decoded. Empty unless the status is 200, because other bodies are not used. */
  readonly body: Buffer
}

/**
 * Sends one GET without following redirects. Connecting, the response headers, each chunk and the whole body have
 * deadlines. A body that is too large is refused while it arrives.
 * @throws HttpFailure; the signal's reason
 */
export async function httpGet(url: URL, { headers, agent, limits, signal }: HttpGetOptions): Promise<HttpAnswer> {
  signal.throwIfAborted()
  const { request: open } = url.protocol === 'https:' ? https : http
  const request = open(url, { headers, agent, signal })
  // A destroyed request reports only a socket error, so the reason is stored here.
  let why: Error | undefined
  const timers = new Map<string, NodeJS.Timeout>()
  const within = (name: string, ms: number, what: string) => {
    clearTimeout(timers.get(name))
    timers.set(
      name,
      setTimeout(() => {
        why = new HttpFailure(`${what} took longer than ${ms / 1_000} s`, true)
        request.destroy(why)
      }, ms),
    )
  }
  let incoming: http.IncomingMessage | undefined
  try {
    within('step', limits.connectMs, 'connecting')
    incoming = await answerOf(request, url, () => within('step', limits.headersMs, 'the response headers'))
    const { statusCode: status = 0, headers: answered } = incoming
    if (status !== 200) return { status, headers: answered, body: Buffer.alloc(0) }
    within('body', limits.bodyMs, 'the response body')
    const body = await bodyOf(incoming, limits.bodyBytes, () =>
      within('step', limits.idleMs, 'the next chunk of the response'),
    )
    return { status, headers: answered, body }
  } catch (error) {
    signal.throwIfAborted()
    throw httpFailure(why ?? error)
  } finally {
    for (const timer of timers.values()) clearTimeout(timer)
    // Closes the connection unless the response was read to its end. Then it can be reused.
    if (incoming?.complete !== true && incoming?.statusCode !== 304) request.destroy()
  }
}

function answerOf(request: http.ClientRequest, url: URL, connected: () => void): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('error', reject)
    request.on('response', (incoming) => {
      // An error without a listener would end the process, even after the request is done.
      incoming.on('error', () => {})
      if (incoming.statusCode === 304) incoming.resume()
      resolve(incoming)
    })
    request.on('socket', (socket) => {
      if (socket.connecting) socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', connected)
      else connected()
    })
    request.end()
  })
}

async function bodyOf(incoming: http.IncomingMessage, most: number, arrived: () => void): Promise<Buffer> {
  /** A failing stage aborts the others first, so their error would hide this one. */
  let refused: HttpFailure | undefined
  const tooLarge = () =>
    (refused = new HttpFailure(`the response has more than ${most} bytes. Split it into pages`, false))
  if (Number(incoming.headers['content-length']) > most) throw tooLarge()
  const decoders = bodyDecoders(incoming.headers['content-encoding'])
  const chunks: Buffer[] = []
  arrived()
  // Its types do not support an array of different stages.
  await (pipeline as (stages: readonly unknown[]) => Promise<void>)([
    incoming,
    bounded(most, tooLarge, arrived),
    ...decoders,
    async (body: AsyncIterable<Buffer>) => {
      for await (const chunk of bounded(most, tooLarge)(body)) chunks.push(chunk)
    },
  ]).catch((error: unknown) => {
    throw refused ?? error
  })
  return Buffer.concat(chunks)
}

function bounded(most: number, tooLarge: () => Error, arrived?: () => void) {
  return async function* (body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let bytes = 0
    for await (const chunk of body) {
      arrived?.()
      bytes += chunk.length
      if (bytes > most) throw tooLarge()
      yield chunk
    }
  }
}
