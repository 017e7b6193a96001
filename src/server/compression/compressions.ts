import type { Transform } from 'node:stream'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import type { ContentEncoding } from './accepted-encoding.js'

interface Compression {
  readonly compress: (text: Buffer) => Promise<Buffer>
  /** Compresses a text that is too long for one step. */
  readonly stream: () => Transform
}

/**
 * Higher qualities take several times as long for JSON that is 10 % smaller. The window of 256 KiB limits the memory of a
 * stream to about 2 MiB.
 */
const BROTLI = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4, [zlib.constants.BROTLI_PARAM_LGWIN]: 18 } }
const GZIP = { level: 5 }

const brotli = promisify<Buffer, zlib.BrotliOptions, Buffer>(zlib.brotliCompress)
const gzip = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gzip)

/** In the order of preference. Node compresses in its thread pool. */
export const COMPRESSIONS: Readonly<Record<ContentEncoding, Compression>> = {
  br: { compress: (text) => brotli(text, BROTLI), stream: () => zlib.createBrotliCompress(BROTLI) },
  gzip: { compress: (text) => gzip(text, GZIP), stream: () => zlib.createGzip(GZIP) },
}

export const OFFERED = Object.keys(COMPRESSIONS) as ContentEncoding[]
