import { createHash } from 'node:crypto'
import { type DocumentNode, type GraphQLSchema, printSchema } from 'graphql'
import { LRUCache } from 'lru-cache'
import type { Registry } from '../../registry/registry.js'
import type { OperationRequest } from '../pipeline/operation-request.js'
import { type AnswerLifetime, answerLifetime } from './answer-lifetime.js'
import { isKnown, type KnownTags, knownTags, weakTag } from './entity-tag.js'
import type { Lifetime } from './field-lifetimes.js'

/** @bound Characters of the documents whose answers' lifetimes are cached. */
const CACHED_LENGTH = 1024 * 1024
const YEAR_SECONDS = 31_536_000
/** The part of the registry that the caller sees. Part of every tag, so that a narrower one gets other tags. */
const SCOPE = 'everything'

/** The caching headers of an answer. Sent with an answer without errors only. */
export interface AnswerCaching {
  readonly headers: readonly string[]
  /** Whether the client has the answer already. The operation need not be executed. */
  readonly isKnown: boolean
  /** Whether the client wants no answer if it has an answer of any tag. */
  readonly isAnyKnown: boolean
}

export interface ConditionalGetsOptions {
  readonly schema: GraphQLSchema
  readonly registry: {
    readonly head: Registry['head']
    readonly history: Pick<Registry['history'], 'registryId'>
  }
  /** Identifies everything else that answers depend on, such as the patterns of dependencies. */
  readonly fingerprint: string
  /** Parses and validates a document with all plugins; null if they refuse it. */
  validated(query: string, operationName: string | null): DocumentNode | null
}

/** One request by GET. */
export interface ConditionalRequest {
  readonly operation: OperationRequest
  /** The variables as they were sent, because parsing loses the sign of -0. */
  readonly variables: string
  /** The media type of the answer. */
  readonly type: string
  readonly ifNoneMatch: string | undefined
}

/**
 * Decides what caches may do with the answers of GET, and which of them need not be sent again. A tag holds the revision
 * of the head before the execution. So if the head is still there at a later request, nothing that the answer shows has
 * changed in between, and one look at the head spares the execution.
 */
export class ConditionalGets {
  readonly #lifetimes = new LRUCache<string, AnswerLifetime>({
    maxSize: CACHED_LENGTH,
    maxEntrySize: CACHED_LENGTH / 8,
    sizeCalculation: (_, key) => key.length + 100,
  })
  #schemaHash: string | null = null

  constructor(private readonly options: ConditionalGetsOptions) {}

  /** @throws whatever the look at the head throws */
  async caching(request: ConditionalRequest): Promise<AnswerCaching> {
    const { query, operationName, variables } = request.operation
    const lifetime = this.#lifetimeOf(query, operationName)
    if (lifetime.longest === 'uncacheable') return NOT_TAGGED
    const known = knownTags(request.ifNoneMatch)
    if (lifetime.longest === 'immutable') {
      const tag = this.#tag('immutable', request)
      if (isKnown(known, tag)) return tagged('immutable', tag, known)
    }
    const { revision } = await this.options.registry.head()
    const actual = lifetime.of(variables, revision)
    if (actual === 'uncacheable') return NOT_TAGGED
    return tagged(actual, this.#tag(actual === 'immutable' ? actual : String(revision), request), known)
  }

  #lifetimeOf(query: string, operationName: string | null): AnswerLifetime {
    const key = JSON.stringify([operationName, query])
    const known = this.#lifetimes.get(key)
    if (known !== undefined) return known
    const document = this.options.validated(query, operationName)
    // A refused document is not cached, because it would evict useful ones. Its answer has errors.
    if (document === null) return REFUSED
    const lifetime = answerLifetime(this.options.schema, document, operationName)
    this.#lifetimes.set(key, lifetime)
    return lifetime
  }

  #tag(revision: string, { operation: { query, operationName }, variables, type }: ConditionalRequest): string {
    const { registry, schema, fingerprint } = this.options
    this.#schemaHash ??= createHash('sha256').update(printSchema(schema)).digest('base64url')
    const { registryId } = registry.history
    const name = operationName ?? ''
    return weakTag([registryId, revision, SCOPE, this.#schemaHash, fingerprint, type, query, name, variables])
  }
}

const REFUSED: AnswerLifetime = { longest: 'uncacheable', of: () => 'uncacheable' }

/** The headers that the answer depends on. `Origin`, because it decides which page may read the answer. */
const VARY = 'origin, accept, accept-encoding'

const NOT_TAGGED: AnswerCaching = {
  headers: ['cache-control', 'private, no-cache', 'vary', VARY],
  isKnown: false,
  isAnyKnown: false,
}

const CACHE_CONTROL: Readonly<Record<Exclude<Lifetime, 'uncacheable'>, string>> = {
  immutable: `private, max-age=${YEAR_SECONDS}, immutable`,
  'by revision': 'private, no-cache',
}

function tagged(lifetime: keyof typeof CACHE_CONTROL, tag: string, known: KnownTags): AnswerCaching {
  return {
    headers: ['cache-control', CACHE_CONTROL[lifetime], 'etag', tag, 'vary', VARY],
    isKnown: isKnown(known, tag),
    isAnyKnown: known === 'any',
  }
}
