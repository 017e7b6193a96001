import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { isLong, type JsonText, piecesOf } from '../../graphql/results/long-text.js'
import { acceptedEncoding, type ContentEncoding } from './accepted-encoding.js'
import { COMPRESSIONS, OFFERED } from './compressions.js'

/** A shorter answer fits into one packet either way. */
const SHORTEST = 1_024
/** @bound Answers that are compressed at the same time in one step. Node's thread pool has four threads, for files too. */
const AT_ONCE = 2
/** @bound Characters of the answers that wait to be compressed. Further ones are sent as they are. */
const MOST_WAITING = 8 * 1024 * 1024
/** @bound Long answers that are compressed at the same time. Further ones are sent as they are. */
const STREAMS = 8

/** Sends answers compressed, in the thread pool, to clients that accept it. */
export class Compressor {
  #running = 0
  #streams = 0
  #waitingLength = 0
  readonly #waiting: (() => void)[] = []

  /**
   * Sends the answer with these headers if it is to be compressed. Returns false otherwise, and has then done nothing.
   * @param headers - Without those of the length and the encoding
   */
  send(response: ServerResponse, status: number, headers: readonly string[], text: JsonText): boolean {
    if (text.length < SHORTEST) return false
    const encoding = acceptedEncoding(OFFERED, response.req.headers['accept-encoding'])
    if (encoding === undefined) return false
    if (typeof text !== 'string' || isLong(text)) return this.#sendLong(response, status, headers, text, encoding)
    if (this.#waitingLength + text.length > MOST_WAITING) return false
    this.#sendShort(response, status, headers, text, encoding).catch((error: unknown) =>
      response.destroy(error as Error),
    )
    return true
  }

  async #sendShort(
    response: ServerResponse,
    status: number,
    headers: readonly string[],
    text: string,
    encoding: ContentEncoding,
  ): Promise<void> {
    if (this.#running === AT_ONCE) {
      this.#waitingLength += text.length
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
      this.#waitingLength -= text.length
    } else this.#running += 1
    try {
      if (response.destroyed) return
      const bytes = await COMPRESSIONS[encoding].compress(Buffer.from(text, 'utf8'))
      if (response.destroyed) return
      response.writeHead(status, withEncoding(headers, encoding, ['content-length', String(bytes.length)]))
      response.end(bytes)
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#running -= 1
      else next()
    }
  }

  #sendLong(
    response: ServerResponse,
    status: number,
    headers: readonly string[],
    text: JsonText,
    encoding: ContentEncoding,
  ): boolean {
    if (this.#streams === STREAMS) return false
    this.#streams += 1
    response.writeHead(status, withEncoding(headers, encoding, []))
    // The pipeline destroys the response if it fails.
    pipeline(Readable.from(encoded(text)), COMPRESSIONS[encoding].stream(), response)
      .catch(() => undefined)
      .finally(() => {
        this.#streams -= 1
      })
    return true
  }
}

/** The order of the sent headers decides nothing. `Vary` is there already if caches may store the answer. */
function withEncoding(headers: readonly string[], encoding: ContentEncoding, more: readonly string[]): string[] {
  const vary = headers.includes('vary') ? [] : ['vary', 'origin, accept-encoding']
  return [...headers, 'content-encoding', encoding, ...vary, ...more]
}

/** Encodes the pieces only when they are read. */
function* encoded(text: JsonText): Generator<Buffer> {
  for (const piece of piecesOf(text)) yield Buffer.from(piece, 'utf8')
}
