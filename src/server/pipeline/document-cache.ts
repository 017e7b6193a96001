import { type DocumentNode, GraphQLError, Kind, parse, visit } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { LRUCache } from 'lru-cache'
import { documentNestsDeeperThan } from './document-nesting.js'
import type { OperationLimits } from './operation-limits.js'
import { requestError } from './request-error.js'
import { selectionsOverlapTooMuch } from './selection-overlap.js'

/** @bound Characters of the documents whose syntax trees are cached. A tree takes about 30 bytes a character. */
const CACHED_LENGTH = 1024 * 1024

type Parsed = { readonly document: DocumentNode } | { readonly error: GraphQLError }

/**
 * Parses and validates each document once. Checks its limits before each expensive step: length and nesting before
 * parsing, aliases and fields before validation.
 */
export function useDocumentCache(limits: OperationLimits): Plugin {
  const parsed = new LRUCache<string, Parsed>({
    maxSize: CACHED_LENGTH,
    maxEntrySize: CACHED_LENGTH / 8,
    sizeCalculation: (_, text) => text.length + 1,
  })
  const validated = new WeakMap<DocumentNode, readonly GraphQLError[]>()

  return {
    onParse({ params, setParsedDocument }) {
      const text = typeof params.source === 'string' ? params.source : params.source.body
      let known = parsed.get(text)
      if (known === undefined) {
        known = parseWithin(text, limits)
        parsed.set(text, known)
      }
      if ('error' in known) throw known.error
      setParsedDocument(known.document)
    },
    onValidate({ params: { documentAST }, setResult }) {
      const known = validated.get(documentAST)
      if (known !== undefined) {
        setResult(known)
        return undefined
      }
      return ({ result }) => {
        validated.set(documentAST, result as readonly GraphQLError[])
      }
    },
  }
}

function parseWithin(text: string, limits: OperationLimits): Parsed {
  if (text.length > limits.documentLength) {
    return tooComplex(`The document has ${text.length} characters, more than the limit of ${limits.documentLength}.`)
  }
  if (documentNestsDeeperThan(text, limits.nesting))
    return tooComplex(`The document nests more than ${limits.nesting} levels deep.`)
  let document: DocumentNode
  try {
    document = parse(text, { maxTokens: limits.tokens })
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error
    // graphql-js identifies this error by its message only.
    if (error.message.includes('Parsing aborted'))
      return tooComplex(`The document has more than ${limits.tokens} tokens.`)
    error.extensions['code'] = 'GRAPHQL_PARSE_FAILED'
    return { error }
  }
  let aliases = 0
  visit(document, {
    [Kind.FIELD]: ({ alias }) => {
      if (alias !== undefined) aliases += 1
    },
  })
  if (aliases > limits.aliases)
    return tooComplex(`The document has ${aliases} aliases, more than the limit of ${limits.aliases}.`)
  if (selectionsOverlapTooMuch(document, limits.overlap))
    return tooComplex('The document selects too many fields, or the same fields too often.')
  return { document }
}

function tooComplex(problem: string): Parsed {
  return { error: requestError('QUERY_TOO_COMPLEX', `${problem} Split it, and send values as variables.`) }
}
