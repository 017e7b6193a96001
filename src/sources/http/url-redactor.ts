/** Names of query parameters that are secrets in every URL. */
const SECRET =
  /^(.*[-_.])?(api[-_]?key|access[-_]?token|auth|auth[-_]?token|secret|password|passwd|pwd|sig|signature|credential)$/i
/** Names that are secrets in the configured URL. In a link to a page, a token is mostly a page token. */
const SECRET_WHERE_CONFIGURED = /key|token/i

/** Returns a function that renders URLs without their secrets. */
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
