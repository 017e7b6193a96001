import { isJsonObject } from '../../core/entry/json.js'
import { requestError } from '../pipeline/request-error.js'
import type { DocumentManifest } from './document-manifest.js'
import { hashOf, PersistedQueries } from './persisted-queries.js'

/** How a request names its document. Nothing of it has been checked. */
export interface SentDocument {
  readonly query: unknown
  /** As in the draft of GraphQL over HTTP for persisted documents. */
  readonly documentId: unknown
  readonly extensions: unknown
}

/** Finds the documents of requests, however they are sent: as text, by an id of the manifest, or by their hash. */
export class RequestDocuments {
  readonly #persisted = new PersistedQueries()

  /**
   * @param manifest - Null if there is none
   * @param isOnly - Whether documents that are not in the manifest are refused
   */
  constructor(
    private readonly manifest: DocumentManifest | null = null,
    private readonly isOnly = false,
  ) {}

  /**
   * Returns the text of a request's document, or what was sent in its place.
   * @throws GraphQLError DOCUMENT_NOT_FOUND, DOCUMENT_NOT_ALLOWED, and as `PersistedQueries.documentOf` does
   */
  documentOf({ query, documentId, extensions }: SentDocument): unknown {
    if (documentId !== undefined && documentId !== null) return this.#documentById(documentId, query)
    const persisted = isJsonObject(extensions) ? extensions['persistedQuery'] : undefined
    if (persisted === undefined || persisted === null) return this.#allowed(query)
    const hash = hashOf(persisted)
    const known = this.manifest?.document(hash)
    if (known !== undefined && (isMissing(query) || query === known)) return known
    // A refused document is not stored, and a stored one may have left the manifest.
    return this.#allowed(this.#persisted.documentOf(this.#allowed(query), hash))
  }

  #documentById(id: unknown, query: unknown): string {
    if (typeof id !== 'string') throw requestError('BAD_USER_INPUT', '"documentId" is not a string.')
    if (!isMissing(query)) throw requestError('BAD_USER_INPUT', 'Send "documentId" or "query", not both.')
    const document = this.manifest?.document(id)
    if (document !== undefined) return document
    const place = this.manifest === null ? 'This gateway has no manifest of documents' : 'It is not in the manifest'
    throw requestError('DOCUMENT_NOT_FOUND', `There is no document "${id.slice(0, 255)}". ${place}.`)
  }

  #allowed(query: unknown): unknown {
    if (!this.isOnly || typeof query !== 'string' || query === '' || this.manifest?.includes(query) === true)
      return query
    const message =
      'This gateway executes only documents of its manifest. Add this one to the manifest, and send it as it is there, or its id as "documentId".'
    throw requestError('DOCUMENT_NOT_ALLOWED', message)
  }
}

function isMissing(query: unknown): boolean {
  return query === undefined || query === null || query === ''
}
