import { isAscii, isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { requestError } from '../pipeline/request-error.js'
import { HttpError } from './http-error.js'

/** Reads request bodies, each within a bound, all together within another. */
export class BodyReader {
  #reading = 0

  constructor(
    private readonly mostBytes: number,
    /** Of all that are being read at one time: bodies cost memory before anything is known of them. */
    private readonly mostBytesTogether = 4 * mostBytes,
  ) {}

  /**
   * Tells the body as text, null where it is not UTF-8, or why there is none: an HttpError 413 or 503, or that the client
   * has gone away. Nothing is told where it goes away before any of the body has come. By events: an iterator over the request, or promises, took as
   * long as a short query.
   */
  read(request: IncomingMessage, told: (body: string | null) => void, failed: (error: Error) => void): void {
    const announced = Number(request.headers['content-length'] ?? 0)
    if (announced > this.mostBytes) return failed(this.#tooLarge())
    const chunks: Buffer[] = []
    let bytes = 0
    let isSettled = false
    /** What comes later is of no account: taking listeners away again costs more than to let them lie. */
    const settle = (): boolean => {
      if (isSettled) return false
      this.#reading -= bytes
      return (isSettled = true)
    }
    const refuse = (error: Error) => {
      if (!settle()) return
      failed(error)
      request.pause()
    }
    const done = () => {
      if (!settle()) return
      const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
      // Most operations are plain ASCII, which is UTF-8 as it stands.
      if (isAscii(body)) told(body.toString('latin1'))
      else told(isUtf8(body) ? body.toString('utf8') : null)
    }
    const cut = () => {
      if (settle()) failed(new Error('the request was cut off'))
    }
    const listenToItsEnd = () => request.on('end', done).on('error', cut).on('close', cut)
    const take = (chunk: Buffer) => {
      if (isSettled) return
      bytes += chunk.length
      this.#reading += chunk.length
      if (bytes > this.mostBytes) return refuse(this.#tooLarge())
      if (this.#reading > this.mostBytesTogether) {
        return refuse(
          new HttpError(503, requestError('UNAVAILABLE', 'too many large requests are being read; try again'), {
            'retry-after': '1',
          }),
        )
      }
      chunks.push(chunk)
      // Most bodies are one piece, which is all that was announced: nothing else of the request is of interest.
      if (bytes === announced) done()
      else if (chunks.length === 1 && announced > 0) listenToItsEnd()
    }
    if (request.destroyed) return cut()
    request.on('data', take)
    if (!(announced > 0)) listenToItsEnd()
  }

  #tooLarge(): HttpError {
    return new HttpError(
      413,
      requestError(
        'TOO_LARGE',
        `the body takes more than the ${this.mostBytes} bytes that it may take; split the changeset`,
      ),
    )
  }
}
