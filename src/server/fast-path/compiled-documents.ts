import {
  type DocumentNode,
  type GraphQLSchema,
  getOperationAST,
  type OperationDefinitionNode,
  OperationTypeNode,
} from 'graphql'
import { LRUCache } from 'lru-cache'
import { type CompiledOperation, compileOperation } from '../../graphql/compiled/compile-operation.js'
import { type SingleEntryQuery, singleEntryQuery } from '../../graphql/compiled/single-entry-query.js'
import { operationWeight } from '../weighing/operation-weight.js'
import { isWeighedByVariables } from '../weighing/weight-limit.js'

/** @bound Documents that stay compiled. */
const COMPILED_DOCUMENTS = 256
/** @bound Characters of a document that is compiled. */
const COMPILED_LENGTH = 16 * 1024

export interface CompiledDocument {
  readonly document: DocumentNode
  readonly operation: OperationDefinitionNode
  readonly type: OperationTypeNode.QUERY | OperationTypeNode.MUTATION
  readonly execute: CompiledOperation
  /** The weight of the operation; null if that depends on variables. */
  readonly weight: number | null
  /** Null if the answer depends on more than one entry. */
  readonly singleEntry: SingleEntryQuery | null
}

export interface CompiledDocumentsOptions {
  readonly schema: GraphQLSchema
  /** Parses and validates a document with all plugins; null if they refuse it. */
  validated(query: string, operationName: string | null): DocumentNode | null
}

/** Caches the results of the plugins and the compiler for a document, because they are the same for each request. */
export class CompiledDocuments {
  readonly #cache = new LRUCache<string, CompiledDocument | 'not compiled'>({ max: COMPILED_DOCUMENTS })

  constructor(private readonly options: CompiledDocumentsOptions) {}

  /** Returns null if the document is invalid or cannot be compiled. */
  of(query: string, operationName: string | null): CompiledDocument | null {
    if (query.length > COMPILED_LENGTH) return null
    const key = keyOf(query, operationName)
    const cached = this.#cache.get(key)
    if (cached !== undefined) return cached === 'not compiled' ? null : cached
    const document = this.options.validated(query, operationName)
    // Invalid documents are not cached, because they would evict useful ones.
    if (document === null) return null
    const compiled = this.#compile(document, operationName)
    this.#cache.set(key, compiled ?? 'not compiled')
    return compiled
  }

  /** Excludes a document whose compilation turned out to be too large. */
  exclude(query: string, operationName: string | null): void {
    this.#cache.set(keyOf(query, operationName), 'not compiled')
  }

  #compile(document: DocumentNode, operationName: string | null): CompiledDocument | null {
    const { schema } = this.options
    const operation = getOperationAST(document, operationName)!
    const type = operation.operation
    if (type === OperationTypeNode.SUBSCRIPTION) return null
    const execute = compileOperation(schema, document, operation)
    if (execute === null) return null
    const weight = isWeighedByVariables(document) ? null : operationWeight(schema, document, operation, {}).total
    return { document, operation, type, execute, weight, singleEntry: singleEntryQuery(schema, operation) }
  }
}

/** Two requests cannot have the same key, because no document is a JSON list. */
function keyOf(query: string, operationName: string | null): string {
  return operationName === null ? query : JSON.stringify([operationName, query])
}
