import { isAscii, isUtf8 } from 'node:buffer'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ConnectionGuard } from '../connections/connection-guard.js'
import type { ArrivalFault } from '../connections/guarded-connection.js'
import { requestError } from '../pipeline/request-error.js'
import { HttpError } from './http-error.js'

/** Reads request bodies. The guard bounds their total, and refuses those that arrive too slowly. */
export class BodyReader {
  constructor(
    private readonly maxBytes: number,
    private readonly guard: ConnectionGuard,
  ) {}

  /**
   * Calls `onBody` with the body as text, or null if it is not UTF-8. Otherwise calls `onError`: with HttpError 408, 413
   * or 503, or with another error if the client has disconnected. Calls neither if the client disconnects before it has
   * sent any of the body. It uses events, because an iterator or promises took as long as a short query.
   */
  read(
    request: IncomingMessage,
    response: ServerResponse,
    onBody: (body: string | null) => void,
    onError: (error: Error) => void,
  ): void {
    const { headers } = request
    const announced = Number(headers['content-length'] ?? 0)
    if (announced > this.maxBytes) return onError(this.#tooLarge())
    if (request.destroyed) return onError(cutOff())
    const connection = this.guard.of(request.socket)
    const chunks: Buffer[] = []
    let bytes = 0
    let isSettled = false
    /** Listeners stay and ignore later events, because removing them costs more. */
    const settle = (): boolean => {
      if (isSettled) return false
      connection.end()
      return (isSettled = true)
    }
    const refuse = (error: Error) => {
      if (!settle()) return
      chunks.length = 0
      onError(error)
      request.pause()
    }
    const done = () => {
      if (!settle()) return
      const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
      // Most requests are plain ASCII, and Latin-1 is faster to decode.
      if (isAscii(body)) onBody(body.toString('latin1'))
      else onBody(isUtf8(body) ? body.toString('utf8') : null)
    }
    const cut = () => {
      if (settle()) onError(cutOff())
    }
    const listenToEnd = () => request.on('end', done).on('error', cut).on('close', cut)
    const take = (chunk: Buffer) => {
      if (isSettled) return
      bytes += chunk.length
      if (bytes > this.maxBytes) return refuse(this.#tooLarge())
      chunks.push(chunk)
      // Most bodies arrive in one chunk of the announced length. Then no further event matters.
      if (bytes === announced) return done()
      connection.hold(bytes)
      if (chunks.length === 1 && announced > 0) listenToEnd()
    }
    connection.begin((fault) => refuse(FAULTS[fault]()))
    if (headers.expect !== undefined && request.httpVersionMinor > 0) response.writeContinue()
    request.on('data', take)
    if (!(announced > 0)) listenToEnd()
  }

  #tooLarge(): HttpError {
    return new HttpError(
      413,
      requestError('TOO_LARGE', `The body is longer than ${this.maxBytes} bytes. Split the changeset.`),
    )
  }
}

const FAULTS: Readonly<Record<ArrivalFault, () => HttpError>> = {
  slow: () => {
    const message = 'The body arrives too slowly. Send it without pauses, or send a smaller one.'
    return new HttpError(408, requestError('TIMEOUT', message))
  },
  crowded: () => {
    const message = 'Too many requests are being read, and this one is not complete. Try again later.'
    return new HttpError(503, requestError('UNAVAILABLE', message), { 'retry-after': '1' })
  },
}

function cutOff(): Error {
  return new Error('the request was cut off')
}
