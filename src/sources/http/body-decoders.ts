import { type Duplex, Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib'
import { HttpFailure } from './http-failure.js'

export type Decoder = Duplex | ((body: AsyncIterable<Buffer>) => AsyncIterable<Buffer>)

const DECODERS: Readonly<Record<string, () => Decoder>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  br: createBrotliDecompress,
  deflate: () => inflate,
}

/**
 * @bound Content codings of one page. More than two in a row are not in use, and each multiplies the size of the
 * unpacked body.
 */
const MAX_CODINGS = 2

/** The codings that requests accept. */
export const ACCEPTED_CODINGS = 'gzip, deflate, br'

/** The decoders for a `Content-Encoding` header, in the order of decoding. @throws HttpFailure on an unknown coding */
export function bodyDecoders(header: string | undefined): Decoder[] {
  const codings = (header ?? '')
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity')
  if (codings.length > MAX_CODINGS)
    throw new HttpFailure(
      `the response has ${codings.length} content codings, more than the maximum of ${MAX_CODINGS}`,
      false,
    )
  return codings.reverse().map((coding) => {
    const make = Object.hasOwn(DECODERS, coding) ? DECODERS[coding] : undefined
    if (make === undefined)
      throw new HttpFailure(
        `the response has the unknown content coding ${JSON.stringify(coding.slice(0, 40))}. Supported: ${ACCEPTED_CODINGS}`,
        false,
      )
    return make()
  })
}

/** `deflate` means the zlib format, but many servers send raw deflate. The first byte distinguishes them. */
async function* inflate(body: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const chunks = body[Symbol.asyncIterator]()
  const first = await chunks.next()
  if (first.done === true) return
  const decoder = (first.value[0]! & 0x0f) === 8 ? createInflate() : createInflateRaw()
  const packed = Readable.from(
    (async function* () {
      yield first.value
      for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value
    })(),
  )
  packed.on('error', (error) => decoder.destroy(error))
  packed.pipe(decoder)
  try {
    yield* decoder as AsyncIterable<Buffer>
  } finally {
    packed.destroy()
    decoder.destroy()
  }
}
