import { isAscii, isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { HttpError } from './http-error.js'
import { requestError } from './request-error.js'

/** Reads request bodies, each within a bound, all together within another. */
export class BodyReader {
  #reading = 0

  constructor(
    private readonly mostBytes: number,
    /** Of all that are being read at one time: bodies cost memory before anything is known of them. */
    private readonly mostBytesTogether = 4 * mostBytes,
  ) {}

  /** The body as text. @throws HttpError 400, 413, 503; it also throws where the client goes away */
  async read(request: IncomingMessage): Promise<string> {
    const announced = Number(request.headers['content-length'] ?? 0)
    if (announced > this.mostBytes) throw this.#tooLarge()
    const chunks = await this.#chunks(request)
    const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
    // Most operations are plain ASCII, which is UTF-8 as it stands.
    if (isAscii(body)) return body.toString('latin1')
    if (!isUtf8(body)) throw new HttpError(400, requestError('BAD_USER_INPUT', 'the body is not valid UTF-8; send JSON in UTF-8'))
    return body.toString('utf8')
  }

  /** By events: an iterator over the request took as long as a short query. */
  #chunks(request: IncomingMessage): Promise<Buffer[]> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      let bytes = 0
      let isSettled = false
      /** What comes later is of no account: taking four listeners away again costs more than to let them lie. */
      const settle = (): boolean => {
        if (isSettled) return false
        this.#reading -= bytes
        return isSettled = true
      }
      const failed = (error: Error) => {
        if (settle()) reject(error)
      }
      const refuse = (error: Error) => {
        failed(error)
        request.pause()
      }
      const take = (chunk: Buffer) => {
        if (isSettled) return
        bytes += chunk.length
        this.#reading += chunk.length
        if (bytes > this.mostBytes) return refuse(this.#tooLarge())
        if (this.#reading > this.mostBytesTogether) {
          return refuse(new HttpError(503, requestError('UNAVAILABLE', 'too many large requests are being read; try again'), { 'retry-after': '1' }))
        }
        chunks.push(chunk)
      }
      const done = () => {
        if (settle()) resolve(chunks)
      }
      const cut = () => {
        if (!isSettled) failed(new Error('the request was cut off'))
      }
      if (request.destroyed) return cut()
      request.on('data', take).on('end', done).on('error', failed).on('close', cut)
    })
  }

  #tooLarge(): HttpError {
    return new HttpError(413, requestError('TOO_LARGE', `the body takes more than the ${this.mostBytes} bytes that it may take; split the changeset`))
  }
}
