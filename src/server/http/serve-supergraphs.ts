import type { ServerResponse } from 'node:http'
import { isJsonObject } from '../../core/entry/json.js'
import { type ComposeOptions, SUPERGRAPH_KIND, supergraphId } from '../../graphql/supergraph/compose-options.js'
import type { Registry } from '../../registry/registry.js'
import type { RouteHandler } from './create-http-server.js'
import { respondText } from './text-response.js'

export const SUPERGRAPH_FOLDER = '/supergraph/'

/** The SDL of a supergraph as it is sent. */
interface ServedSdl {
  readonly digest: string
  readonly body: Buffer
}

/**
 * Serves the composed supergraph of each namespace as text, for gateways that poll it. The ETag is the digest of its
 * entry, so a gateway that has it is answered with 304.
 */
export function serveSupergraphs(
  registry: Pick<Registry, 'entriesAtHead'>,
  options: ComposeOptions | null,
): RouteHandler {
  const namespaces = new Set(options?.namespaces)
  /** The last SDL of each namespace. Reading it from the entry takes 2 ms a megabyte. */
  const served = new Map<string, ServedSdl>()

  return async (request, response, { pathname }) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD')
      return respondText(response, 405, 'Send GET or HEAD.\n')
    }
    const namespace = decoded(pathname.slice(SUPERGRAPH_FOLDER.length))
    if (namespace === null || !namespaces.has(namespace))
      return notFound(response, 'The gateway does not compose this namespace. Add it to federation.compose.namespaces.')
    const id = supergraphId(namespace)
    const entry = (await registry.entriesAtHead([id])).get(id)
    if (entry === undefined || entry.content.kind !== SUPERGRAPH_KIND)
      return notFound(response, `There is no supergraph of ${namespace} yet. Publish a subgraph.`)
    const { digest, dataText } = entry.content
    const etag = `"${digest}"`
    response.setHeader('etag', etag)
    response.setHeader('cache-control', 'private, no-cache')
    if (matches(request.headers['if-none-match'], etag)) {
      response.writeHead(304)
      return void response.end()
    }
    const known = served.get(namespace)
    const { body } = known?.digest === digest ? known : { body: sdlOf(dataText) }
    served.set(namespace, { digest, body })
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'content-length': body.length })
    // Node sends no body in answer to HEAD.
    response.end(body)
  }
}

function notFound(response: ServerResponse, text: string): void {
  respondText(response, 404, `${text}\n`)
}

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part)
  } catch {
    return null
  }
}

/** Weak tags match too: a proxy that compresses the text weakens its tag. */
function matches(header: string | undefined, etag: string): boolean {
  return (header ?? '').split(',').some((tag) => [etag, '*'].includes(tag.trim().replace(/^W\//, '')))
}

function sdlOf(dataText: string): Buffer {
  const data: unknown = JSON.parse(dataText)
  const sdl = isJsonObject(data as never) ? (data as { readonly sdl?: unknown }).sdl : undefined
  return Buffer.from(typeof sdl === 'string' ? sdl : '', 'utf8')
}
