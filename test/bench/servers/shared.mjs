// Shared by the servers that are compared with the gateway. Each is a file of its own and runs as a process of its own.
import { createRequire } from 'node:module'
import { connect } from '../connect.mjs'

/** Packages in the bench's folder load the `graphql` there. Those of the gateway load the gateway's. */
export const requireOfGateway = createRequire(new URL('../../../package.json', import.meta.url))

/** Reads entries by one prepared statement each, from the table that the gateway reads. */
export function openEntries() {
  const sql = connect(process.env.DATABASE_URL, {
    max: 10,
    types: { bigint: { to: 20, from: [20], serialize: String, parse: Number } },
  })
  const shown = ({ ns, name, kind, meta, data }) => ({
    id: `${ns}:${name}`,
    kind,
    meta: JSON.parse(meta),
    data: JSON.parse(data),
  })
  const parts = (id) => [id.slice(0, id.indexOf(':')), id.slice(id.indexOf(':') + 1)]
  return {
    async entry(id) {
      const [ns, name] = parts(id)
      const [row] = await sql`SELECT ns, name, kind, meta, data FROM head WHERE ns = ${ns} AND name = ${name}`
      return row === undefined ? null : shown(row)
    },
    async page(after) {
      const [ns, name] = parts(after)
      return (
        await sql`SELECT ns, name, kind, meta, data FROM head WHERE (ns, name) > (${ns}, ${name}) ORDER BY ns, name LIMIT 100`
      ).map(shown)
    },
    async nodes(ids) {
      const found = await sql`
        SELECT h.ns, h.name, kind, meta, data FROM unnest(${ids.map((id) => parts(id)[0])}::text[], ${ids.map((id) => parts(id)[1])}::text[]) AS wanted(ns, name)
        JOIN head h ON h.ns = wanted.ns AND h.name = wanted.name`
      return found.map(shown)
    },
  }
}

/** Answers reads over HTTP with the least effort: `node:http` and JSON.stringify. */
export function plainAnswers({ entry, page, nodes }) {
  return async (request, response) => {
    const [path, asked] = request.url.split('?')
    const data =
      path === '/entry'
        ? { entry: await entry(asked) }
        : path === '/page'
          ? { entries: await page(asked) }
          : { nodes: await nodes(JSON.parse(await bodyOf(request))) }
    const text = JSON.stringify({ data })
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    response.end(text)
  }
}

export async function bodyOf(request) {
  let text = ''
  for await (const piece of request.setEncoding('utf8')) text += piece
  return text
}

export function listen(server) {
  server.listen({ host: '127.0.0.1', port: 0 }, () => console.log(`listening ${server.address().port}`))
}
