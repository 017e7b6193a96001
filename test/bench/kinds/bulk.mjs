// Measures one large changeset over HTTP, compared with a COPY of the rows that it wrote into the same tables of a twin registry: read
// beforehand, sent as text, in one database transaction, with the same indexes.
import { chmodSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { connect } from '../connect.mjs'
import { cpuTime, peakMemory, runClient, scratchFolder } from '../processes.mjs'
import { startGateway } from '../systems.mjs'

export const ONCE = fileURLToPath(new URL('../clients/once.mjs', import.meta.url))
const PIECE = 64 * 1_024
/** The rows of a revision, with the names and references of its entries. */
const ROWS = {
  version: (revision) => `SELECT * FROM version WHERE revision = ${revision}`,
  transition: (revision) => `SELECT * FROM transition WHERE revision = ${revision}`,
  change: (revision) => `SELECT * FROM change WHERE revision = ${revision} ORDER BY position`,
  head: (revision) => `SELECT * FROM head WHERE revision = ${revision}`,
  entry_name: (revision) =>
    `SELECT n.* FROM change c JOIN entry_name n USING (ns, name) WHERE c.revision = ${revision} ORDER BY c.position`,
  reference: (revision) => `SELECT r.* FROM change c JOIN reference r USING (ns, name) WHERE c.revision = ${revision}`,
}

export async function open({ operations }, { registry, database }) {
  const twin = await database.registry(registry.size)
  const gateway = await startGateway(registry)
  const [from, into] = [registry.url, twin.url].map((url) => connect(url, { max: 1 }))
  return {
    async round(round) {
      const pids = [gateway.pid, database.pid()]
      let cpu = 0
      const { ms, number } = await runClient(
        ONCE,
        { port: gateway.port, operations, run: `.r${round}` },
        {
          began: () => {
            cpu = cpuTime(pids)
          },
          done: () => {
            cpu = cpuTime(pids) - cpu
          },
        },
      )
      const cadastre = {
        ms,
        'operations a second': (operations / ms) * 1_000,
        'peak MB': peakMemory(gateway.pid),
        'cpu ms': cpu,
      }
      const [{ revision }] = await from`SELECT revision FROM version WHERE number = ${number}`
      const tables = []
      for (const [table, rows] of Object.entries(ROWS)) tables.push([table, await piecesOf(from, rows(revision))])
      const before = cpuTime([database.pid()])
      const began = performance.now()
      await into.begin(async (sql) => {
        for (const [table, pieces] of tables)
          await pipeline(Readable.from(pieces), await sql.unsafe(`COPY ${table} FROM STDIN`).writable())
      })
      const copyMs = performance.now() - began
      return {
        cadastre,
        copy: {
          ms: copyMs,
          'operations a second': (operations / copyMs) * 1_000,
          'cpu ms': cpuTime([database.pid()]) - before,
        },
      }
    },
    async close() {
      await Promise.all([from.end(), into.end()])
      await gateway.stop()
      await twin.remove()
    },
  }
}

/** Reads through a file, because a stream of the driver never ends if all of it arrives at once. */
async function piecesOf(sql, query) {
  const folder = scratchFolder('rows')
  const file = join(folder.path, 'rows')
  try {
    // The server may run as another user.
    chmodSync(folder.path, 0o777)
    await sql.unsafe(`COPY (${query}) TO '${file}'`)
    const whole = readFileSync(file)
    return Array.from({ length: Math.ceil(whole.length / PIECE) }, (_, i) => whole.subarray(i * PIECE, (i + 1) * PIECE))
  } finally {
    folder.remove()
  }
}
