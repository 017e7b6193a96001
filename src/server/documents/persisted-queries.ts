import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { isJsonObject } from '../../core/entry/json.js'
import { utf8Length } from '../../core/entry/text.js'
import { requestError } from '../pipeline/request-error.js'

/** @bound Bytes of documents that clients have sent with their hash. The least recently used ones go first. */
const STORED_BYTES = 8 * 1024 * 1024
const HASH = /^[0-9a-f]{64}$/i

/**
 * Reads the hash of `extensions.persistedQuery`.
 * @throws GraphQLError PERSISTED_QUERY_NOT_SUPPORTED, or BAD_USER_INPUT if it is no text
 */
export function hashOf(persisted: unknown): string {
  if (!isJsonObject(persisted) || persisted['version'] !== 1)
    throw requestError('PERSISTED_QUERY_NOT_SUPPORTED', 'PersistedQueryNotSupported')
  const hash = persisted['sha256Hash']
  if (typeof hash === 'string') return hash
  throw notAHash()
}

/**
 * Automatic persisted queries, by the protocol of Apollo's clients: a client sends the SHA-256 of its document alone, and
 * sends both if the document is not known here. https://www.apollographql.com/docs/apollo-server/performance/apq
 */
export class PersistedQueries {
  readonly #documents = new LRUCache<string, string>({ maxSize: STORED_BYTES, sizeCalculation: utf8Length })

  /**
   * Returns the document of a request: its own, or the one with its hash.
   * @throws GraphQLError PERSISTED_QUERY_NOT_FOUND, BAD_USER_INPUT if the hash is of another document
   */
  documentOf(query: unknown, hash: string): unknown {
    if (!HASH.test(hash)) throw notAHash()
    const key = hash.toLowerCase()
    if (query === undefined || query === null || query === '') {
      const document = this.#documents.get(key)
      if (document === undefined) throw requestError('PERSISTED_QUERY_NOT_FOUND', 'PersistedQueryNotFound')
      return document
    }
    if (typeof query !== 'string') return query
    // A document under another one's hash would be executed in its place for every client.
    if (createHash('sha256').update(query).digest('hex') !== key)
      throw requestError('BAD_USER_INPUT', 'The hash in "extensions.persistedQuery" is not the SHA-256 of "query".')
    this.#documents.set(key, query)
    return query
  }
}

function notAHash() {
  return requestError('BAD_USER_INPUT', '"extensions.persistedQuery.sha256Hash" is not a SHA-256 in hexadecimal.')
}
