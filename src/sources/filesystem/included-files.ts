import { posix } from 'node:path'
import { isJsonObject } from '../../core/json.js'
import type { Json } from '../../core/json.js'
import { decodeText } from '../decode-text.js'
import { parseJson } from '../parse-json.js'
import { setOwn } from '../source-document.js'
import type { Definition } from '../source-document.js'
import { contentHash, FileFault } from './read-inside.js'
import type { FileContent } from './read-inside.js'
import type { IncludedStamp } from './stamp.js'

const SCHEME = 'file://'
/** Files that one location may take in; each is read once. */
const MAX_FILES = 1_000

/** Reads a file beside others, by its path from their root. Undefined where there is none. @throws FileFault */
export type ReadNeighbour = (path: string) => Promise<FileContent | undefined>

/** The files that one location's entries take in: by `file://…` as a value, or by `$text(…)` and `$json(…)` in a mapping. */
export class IncludedFiles {
  readonly #files = new Map<string, Promise<FileContent>>()
  readonly #folder: string
  #bytes = 0
  #latest: Date | null = null
  readonly #stamps: IncludedStamp[] = []

  /** @param file path of the defining file from the root; references are relative to it */
  constructor(file: string, private readonly maxBytes: number, private readonly read: ReadNeighbour) {
    this.#folder = posix.dirname(file)
  }

  get stamps(): readonly IncludedStamp[] {
    return [...this.#stamps].sort((a, b) => (a.path < b.path ? -1 : 1))
  }

  get modifiedAt(): Date | null {
    return this.#latest
  }

  /** For a mapping: the text of a file, and the value of a JSON file. */
  readonly bindings = {
    text: (reference: unknown) => this.#text(referenceOf(reference)),
    json: async (reference: unknown) => {
      const path = referenceOf(reference)
      const { documents, faults } = parseJson(await this.#text(path))
      if (faults[0] !== undefined) throw new FileFault(`${path}:${faults[0].line}:${faults[0].column}: ${faults[0].message}`)
      return documents[0]!.value
    },
  }

  /** Puts the text of files in the place of values `file://path`, in meta and data. */
  async complete(definition: Definition): Promise<{ readonly definition: Definition } | { readonly faults: readonly string[] }> {
    const references = new Set<string>()
    collect([definition.meta, definition.data], references)
    if (references.size === 0) return { definition }
    const texts = new Map<string, string>()
    const faults: string[] = []
    for (const reference of references) {
      try {
        texts.set(reference, await this.#text(reference.slice(SCHEME.length)))
      } catch (error) {
        if (!(error instanceof FileFault)) throw error
        faults.push(error.message)
      }
    }
    if (faults.length > 0) return { faults: faults.slice(0, 10) }
    const [meta, data] = [definition.meta, definition.data].map((value) => replaced(value as Json | undefined, texts, new Map()))
    return { definition: { ...definition, meta, data } }
  }

  async #text(reference: string): Promise<string> {
    const named = `${SCHEME}${reference}`
    const path = posix.normalize(posix.join(this.#folder, reference))
    if (reference === '' || reference.includes('\0')) throw new FileFault(`${JSON.stringify(named)} names no file`)
    if (reference.startsWith('/') || path === '..' || path.startsWith('../')) {
      throw new FileFault(`${named} lies outside of the folder, from where nothing is read`)
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
    if (this.#files.size === MAX_FILES) return Promise.reject(new FileFault(`is one too many: ${MAX_FILES} files may stand in one`))
    const content = this.#readOne(path)
    this.#files.set(path, content)
    return content
  }

  async #readOne(path: string): Promise<FileContent> {
    const content = await this.read(path)
    if (content === undefined) throw new FileFault('is not there')
    this.#bytes += content.bytes.length
    if (this.#bytes > this.maxBytes) throw new FileFault(`is too much: files that stand in one may have ${this.maxBytes} bytes together`)
    const { signature, fresh, modifiedAt } = content.look
    this.#stamps.push({ path, signature: fresh ? '' : signature, hash: contentHash(content.bytes) })
    if (this.#latest === null || modifiedAt > this.#latest) this.#latest = modifiedAt
    return content
  }
}

function referenceOf(value: unknown): string {
  if (typeof value !== 'string') throw new FileFault('the path of a file must be text')
  return value.startsWith(SCHEME) ? value.slice(SCHEME.length) : value
}

/** With a stack of its own: values nest deep, and what a mapping made may even go in circles. */
function collect(root: unknown, references: Set<string>): void {
  const stack = [root]
  const seen = new Set<object>()
  while (stack.length > 0) {
    const value = stack.pop()
    if (typeof value === 'string' && value.startsWith(SCHEME)) references.add(value)
    if (typeof value !== 'object' || value === null || seen.has(value)) continue
    seen.add(value)
    for (const child of Object.values(value)) stack.push(child)
  }
}

/** What stands in several places (YAML's aliases) stays one value. */
function replaced(value: Json | undefined, texts: ReadonlyMap<string, string>, done: Map<object, Json>): Json | undefined {
  if (typeof value === 'string') return texts.get(value) ?? value
  if (typeof value !== 'object' || value === null) return value
  const known = done.get(value)
  if (known !== undefined) return known
  const copy: Json = Array.isArray(value) ? [] : {}
  done.set(value, copy)
  if (isJsonObject(value)) for (const key of Object.keys(value)) setOwn(copy as Record<string, Json>, key, replaced(value[key], texts, done)!)
  else for (const item of value) (copy as Json[]).push(replaced(item, texts, done)!)
  return copy
}
