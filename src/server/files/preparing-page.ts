import type { IncomingMessage, ServerResponse } from 'node:http'

/** How often a browser asks again. */
const RETRY_SECONDS = 2

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta http-equiv="refresh" content="${RETRY_SECONDS}" />
    <meta name="color-scheme" content="light dark" />
    <title>Cadastre is preparing its playground</title>
    <style>
      body { font: 16px/1.5 system-ui, sans-serif; max-width: 36rem; margin: 20vh auto; padding: 0 1rem; }
    </style>
  </head>
  <body>
    <h1>Preparing the playground</h1>
    <p role="status">The gateway is running. Its playground is being built, which takes less than a minute at the first start.
    This page loads it by itself.</p>
    <p>The GraphQL endpoint <code>/graphql</code> can be used already.</p>
  </body>
</html>
`

/** Answers that the playground is being built. A browser asks again by itself. */
export function respondPreparing(request: IncomingMessage, response: ServerResponse): void {
  response
    .writeHead(503, {
      'content-type': 'text/html; charset=utf-8',
      'content-length': Buffer.byteLength(PAGE),
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
      'cache-control': 'no-store',
      'retry-after': String(RETRY_SECONDS),
    })
    .end(request.method === 'HEAD' ? undefined : PAGE)
}
