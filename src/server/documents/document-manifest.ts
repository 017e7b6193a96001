import { unwatchFile, watchFile } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { type DocumentsById, parseManifest } from './manifest-format.js'

/** @bound Bytes of a manifest. */
const MAX_BYTES = 16 * 1024 * 1024
/** By polling, which also sees a file that is replaced through a link, as Kubernetes does. */
const POLL_MS = 1_000

export interface DocumentManifestOptions {
  readonly path: string
  readonly onReload: (documents: number) => void
  /** Receives why a new manifest cannot be used. The previous one stays in use. */
  readonly onFault: (error: Error) => void
}

/** The documents of a manifest file, and those of its next version as soon as it is there. */
export class DocumentManifest {
  #byId: DocumentsById
  #texts: ReadonlySet<string>
  #reading = Promise.resolve()
  readonly #listeners: (() => void)[] = []

  private constructor(
    private readonly options: DocumentManifestOptions,
    documents: DocumentsById,
  ) {
    this.#byId = documents
    this.#texts = new Set(documents.values())
    watchFile(options.path, { interval: POLL_MS, persistent: false }, this.#changed)
  }

  /** @throws Error that names the file and what is wrong in it */
  static async open(options: DocumentManifestOptions): Promise<DocumentManifest> {
    return new DocumentManifest(options, await readManifest(options.path))
  }

  /** The document with an id. */
  document(id: string): string | undefined {
    return this.#byId.get(id)
  }

  /** Whether this text is one of the documents, under any id. */
  includes(text: string): boolean {
    return this.#texts.has(text)
  }

  /** Calls the listener after each reload. An id may then stand for another document. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  close(): void {
    unwatchFile(this.options.path, this.#changed)
  }

  /** Reads one version after another. */
  readonly #changed = (): void => {
    this.#reading = this.#reading.then(() => this.#reload())
  }

  async #reload(): Promise<void> {
    try {
      const documents = await readManifest(this.options.path)
      this.#byId = documents
      this.#texts = new Set(documents.values())
      for (const listener of this.#listeners) listener()
      this.options.onReload(documents.size)
    } catch (error) {
      this.options.onFault(error as Error)
    }
  }
}

async function readManifest(path: string): Promise<DocumentsById> {
  try {
    const { size } = await stat(path)
    if (size > MAX_BYTES) throw new Error(`it has ${size} bytes, more than the limit of ${MAX_BYTES}`)
    return await parseManifest(await readFile(path, 'utf8'))
  } catch (error) {
    throw new Error(`The manifest of documents ${path} cannot be used: ${(error as Error).message.replace(/\.$/, '')}.`)
  }
}
