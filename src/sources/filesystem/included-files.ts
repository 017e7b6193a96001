import { posix } from 'node:path'
import { decodeText } from '../forms/decode-text.js'
import { FileFault } from '../forms/file-fault.js'
import type { IncludedStamp } from './file-stamp.js'
import type { FileContent } from './read-inside.js'
import { contentHash } from './read-inside.js'

const SCHEME = 'file://'
/** @bound Files that one location may include. Each is read once. */
const MAX_FILES = 1_000

/** Reads a file by its path from the root. Returns undefined if there is none. @throws FileFault */
export type ReadNeighbour = (path: string) => Promise<FileContent | undefined>

/** The files that one location includes: by `file://…` as a value, or by `$text(…)` and `$json(…)` in a mapping. */
export class IncludedFiles {
  readonly #files = new Map<string, Promise<FileContent>>()
  readonly #folder: string
  #bytes = 0
  #latest: Date | null = null
  readonly #stamps: IncludedStamp[] = []

  /** @param file path of the including file from the root; references are relative to it */
  constructor(
    file: string,
    private readonly maxBytes: number,
    private readonly read: ReadNeighbour,
  ) {
    this.#folder = posix.dirname(file)
  }

  get stamps(): readonly IncludedStamp[] {
    return [...this.#stamps].sort((a, b) => (a.path < b.path ? -1 : 1))
  }

  get modifiedAt(): Date | null {
    return this.#latest
  }

  /** The text of a file, by its path relative to the including file. @throws FileFault */
  async text(reference: string): Promise<string> {
    const named = `${SCHEME}${reference}`
    const path = posix.normalize(posix.join(this.#folder, reference))
    if (reference === '' || reference.includes('\0')) throw new FileFault(`${JSON.stringify(named)} names no file`)
    if (reference.startsWith('/') || path === '..' || path.startsWith('../')) {
      throw new FileFault(`${named} is outside the folder. Only files in the folder can be included`)
    }
    let content: FileContent
    try {
      content = await this.#content(path)
    } catch (error) {
      if (!(error instanceof FileFault)) throw error
      throw new FileFault(`${named} ${error.message}`)
    }
    const decoded = decodeText(content.bytes)
    if ('badLine' in decoded) throw new FileFault(`${named} is not UTF-8 text (line ${decoded.badLine})`)
    return decoded.text
  }

  #content(path: string): Promise<FileContent> {
    const known = this.#files.get(path)
    if (known !== undefined) return known
    if (this.#files.size === MAX_FILES)
      return Promise.reject(new FileFault(`exceeds the maximum of ${MAX_FILES} included files per file`))
    const content = this.#readOne(path)
    this.#files.set(path, content)
    return content
  }

  async #readOne(path: string): Promise<FileContent> {
    const content = await this.read(path)
    if (content === undefined) throw new FileFault('does not exist')
    this.#bytes += content.bytes.length
    if (this.#bytes > this.maxBytes)
      throw new FileFault(`exceeds the maximum of ${this.maxBytes} bytes for all included files of one file`)
    const { signature, fresh, modifiedAt } = content.state
    this.#stamps.push({ path, signature: fresh ? '' : signature, hash: contentHash(content.bytes) })
    if (this.#latest === null || modifiedAt > this.#latest) this.#latest = modifiedAt
    return content
  }
}
