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
  /** Unpacked; empty unless the status is 200: nobody reads what else a server has to say. */
  readonly body: Buffer
}

/**
 * One GET, as it is answered: redirects are not followed. Connecting, the head, each piece of the body and the body whole
 * have their deadlines; what is too large is refused while it arrives.
 * @throws HttpFailure; the signal's reason
 */
export async function httpGet(url: URL, { headers, agent, limits, signal }: HttpGetOptions): Promise<HttpAnswer> {
  signal.throwIfAborted()
  const { request: open } = url.protocol === 'https:' ? https : http
  const request = open(url, { headers, agent, signal })
  // A request that is given up tells its listeners of the socket; why it was given up is here.
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
    incoming = await answerOf(request, url, () => within('step', limits.headersMs, 'the head of the answer'))
    const { statusCode: status = 0, headers: answered } = incoming
    if (status !== 200) return { status, headers: answered, body: Buffer.alloc(0) }
    within('body', limits.bodyMs, 'the body of the answer')
    const body = await bodyOf(incoming, limits.bodyBytes, () =>
      within('step', limits.idleMs, 'the next piece of the answer'),
    )
    return { status, headers: answered, body }
  } catch (error) {
    signal.throwIfAborted()
    throw httpFailure(why ?? error)
  } finally {
    for (const timer of timers.values()) clearTimeout(timer)
    // Closes the connection unless the answer was read to its end: then it may serve again.
    if (incoming?.complete !== true && incoming?.statusCode !== 304) request.destroy()
  }
}

function answerOf(request: http.ClientRequest, url: URL, connected: () => void): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('error', reject)
    request.on('response', (incoming) => {
      // Also after everybody has gone: an error that nobody hears would end the process.
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
  /** What ends one stage of the pipeline reaches the others first, as an abort of theirs. */
  let refused: HttpFailure | undefined
  const tooLarge = () =>
    (refused = new HttpFailure(`the answer has more than ${most} bytes; split it into pages`, false))
  if (Number(incoming.headers['content-length']) > most) throw tooLarge()
  const decoders = bodyDecoders(incoming.headers['content-encoding'])
  const chunks: Buffer[] = []
  arrived()
  // Its types know no array of several kinds.
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
