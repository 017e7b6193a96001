import LinkHeader from 'http-link-header'
import { HttpFailure } from './http-failure.js'

/**
 * Where the list goes on by a `Link` header (RFC 8288), null where the header says nothing of it, undefined where there is
 * no header. Only on the page's own origin: credentials go nowhere else, and a registry does not tell a gateway whom else to ask.
 * @throws HttpFailure where the header does not parse, or leads elsewhere
 */
export function nextLink(header: string | undefined, page: URL): URL | null | undefined {
  if (header === undefined) return undefined
  let links: { uri: string; anchor?: string }[]
  try {
    links = LinkHeader.parse(header).rel('next') as { uri: string; anchor?: string }[]
  } catch (error) {
    throw new HttpFailure(`its Link header does not parse: ${(error as Error).message}`, false)
  }
  // A link with an anchor is about something else than the page.
  const link = links.find(
    ({ anchor }) => anchor === undefined || withoutHash(resolved(anchor, page)) === withoutHash(page),
  )
  if (link === undefined) return null
  const next = resolved(link.uri, page)
  if (next === undefined) throw new HttpFailure('its Link header leads to what is no URL', false)
  if (next.origin !== page.origin)
    throw new HttpFailure(
      `its next page is on ${shownOrigin(next)}, another origin than ${page.origin}: only pages of one origin are read`,
      false,
    )
  next.hash = ''
  next.username = ''
  next.password = ''
  return next
}

/** @returns undefined where it is no URL */
export function resolved(reference: string, base: URL): URL | undefined {
  return URL.canParse(reference, base) ? new URL(reference, base) : undefined
}

export function shownOrigin({ origin, protocol }: URL): string {
  return origin === 'null' ? protocol : origin
}

function withoutHash(url: URL | undefined): string | undefined {
  return url?.href.replace(/#.*$/, '')
}
