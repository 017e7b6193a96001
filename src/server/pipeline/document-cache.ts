import { type DocumentNode, GraphQLError, Kind, parse, visit } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { LRUCache } from 'lru-cache'
import { documentNestsDeeperThan } from './document-nesting.js'
import type { OperationLimits } from './operation-limits.js'
import { requestError } from './request-error.js'
import { selectionsOverlapTooMuch } from './selection-overlap.js'

/** Characters of documents whose syntax trees are kept; a tree takes some 30 bytes a character. */
const CACHED_LENGTH = 1024 * 1024

type Parsed = { readonly document: DocumentNode } | { readonly error: GraphQLError }

/**
 * Parses and validates each document once, and holds it to its limits before anything expensive: its length
 * and nesting before the parser sees it, its aliases and fields before validation does.
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
    return tooLarge(`the document has ${text.length} characters; it may have ${limits.documentLength}`)
  }
  if (documentNestsDeeperThan(text, limits.nesting))
    return tooLarge(`the document nests more than ${limits.nesting} deep`)
  let document: DocumentNode
  try {
    document = parse(text, { maxTokens: limits.tokens })
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error
    // graphql-js tells this one apart by its words only.
    if (error.message.includes('Parsing aborted')) return tooLarge(`the document has more than ${limits.tokens} tokens`)
    error.extensions['code'] = 'GRAPHQL_PARSE_FAILED'
    return { error }
  }
  let aliases = 0
  visit(document, {
    [Kind.FIELD]: ({ alias }) => {
      if (alias !== undefined) aliases += 1
    },
  })
  if (aliases > limits.aliases) return tooLarge(`the document has ${aliases} aliases; it may have ${limits.aliases}`)
  if (selectionsOverlapTooMuch(document, limits.overlap))
    return tooLarge('the document selects too many fields, or the same ones too often')
  return { document }
}

function tooLarge(what: string): Parsed {
  return { error: requestError('QUERY_TOO_COMPLEX', `${what}: split it, and send values as variables`) }
}
