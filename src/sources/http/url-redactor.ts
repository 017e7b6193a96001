/** Names under which URLs carry secrets, wherever they come from. */
const SECRET =
  /^(.*[-_.])?(api[-_]?key|access[-_]?token|auth|auth[-_]?token|secret|password|passwd|pwd|sig|signature|credential)$/i
/** In the configured address these are secrets too; in a link to a page a token is more often the place to go on from. */
const SECRET_WHERE_CONFIGURED = /key|token/i

/** How a page is named to people: its URL without what nobody else is to see. */
export function urlRedactor(configured: URL): (url: URL) => string {
  const hidden = new Set([...configured.searchParams.keys()].filter((name) => SECRET_WHERE_CONFIGURED.test(name)))
  return (url) => {
    const shown = new URL(url)
    shown.username = ''
    shown.password = ''
    shown.hash = ''
    const names = new Set([...shown.searchParams.keys()].filter((name) => hidden.has(name) || SECRET.test(name)))
    for (const name of names) shown.searchParams.set(name, '***')
    return shown.href
  }
}
