import { isAscii, isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { requestError } from '../pipeline/request-error.js'
import { HttpError } from './http-error.js'

/** Reads request bodies. Limits each one, and the total of all that are being read. */
export class BodyReader {
  #reading = 0

  constructor(
    private readonly maxBytes: number,
    /** Limits the total, because bodies take memory before anything is known about their requests. */
    private readonly maxTotalBytes = 4 * maxBytes,
  ) {}

  /**
   * Calls `onBody` with the body as text, or null if it is not UTF-8. Otherwise calls `onError`: with HttpError 413 or
   * 503, or with another error if the client has disconnected. Calls neither if the client disconnects before it has
   * sent any of the body. It uses events, because an iterator or promises took as long as a short query.
   */
  read(request: IncomingMessage, onBody: (body: string | null) => void, onError: (error: Error) => void): void {
    const announced = Number(request.headers['content-length'] ?? 0)
    if (announced > this.maxBytes) return onError(this.#tooLarge())
    const chunks: Buffer[] = []
    let bytes = 0
    let isSettled = false
    /** Listeners stay and ignore later events, because removing them costs more. */
    const settle = (): boolean => {
      if (isSettled) return false
      this.#reading -= bytes
      return (isSettled = true)
    }
    const refuse = (error: Error) => {
      if (!settle()) return
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
      if (settle()) onError(new Error('the request was cut off'))
    }
    const listenToEnd = () => request.on('end', done).on('error', cut).on('close', cut)
    const take = (chunk: Buffer) => {
      if (isSettled) return
      bytes += chunk.length
      this.#reading += chunk.length
      if (bytes > this.maxBytes) return refuse(this.#tooLarge())
      if (this.#reading > this.maxTotalBytes) {
        return refuse(
          new HttpError(503, requestError('UNAVAILABLE', 'Too many large requests are being read. Try again later.'), {
            'retry-after': '1',
          }),
        )
      }
      chunks.push(chunk)
      // Most bodies arrive in one chunk of the announced length. Then no further event matters.
      if (bytes === announced) done()
      else if (chunks.length === 1 && announced > 0) listenToEnd()
    }
    if (request.destroyed) return cut()
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
