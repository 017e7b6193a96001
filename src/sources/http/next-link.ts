import LinkHeader from 'http-link-header'
import { HttpFailure } from './http-failure.js'

/**
 * The next page by a `Link` header (RFC 8288); null if the header has no such link, undefined without a header. Only the
 * page's own origin is accepted, because the credentials are for that origin.
 * @throws HttpFailure if the header does not parse or points to another origin
 */
export function nextLink(header: string | undefined, page: URL): URL | null | undefined {
  if (header === undefined) return undefined
  let links: { uri: string; anchor?: string }[]
  try {
    links = LinkHeader.parse(header).rel('next') as { uri: string; anchor?: string }[]
  } catch (error) {
    throw new HttpFailure(`its Link header does not parse: ${(error as Error).message}`, false)
  }
  // A link with an anchor is about another resource than the page.
  const link = links.find(
    ({ anchor }) => anchor === undefined || withoutHash(resolved(anchor, page)) === withoutHash(page),
  )
  if (link === undefined) return null
  const next = resolved(link.uri, page)
  if (next === undefined) throw new HttpFailure('its Link header has an invalid URL', false)
  if (next.origin !== page.origin)
    throw new HttpFailure(
      `its next page is on another origin, ${shownOrigin(next)} instead of ${page.origin}. Only pages of one origin are read`,
      false,
    )
  next.hash = ''
  next.username = ''
  next.password = ''
  return next
}

/** @returns undefined if it is not a URL */
export function resolved(reference: string, base: URL): URL | undefined {
  return URL.canParse(reference, base) ? new URL(reference, base) : undefined
}

export function shownOrigin({ origin, protocol }: URL): string {
  return origin === 'null' ? protocol : origin
}

function withoutHash(url: URL | undefined): string | undefined {
  return url?.href.replace(/#.*$/, '')
}
