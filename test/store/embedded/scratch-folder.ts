import { mkdtempSync, readdirSync, readlinkSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'

/** Makes a folder that only its owner may enter (mode 0700). `remove` deletes it. */
export function scratchFolder(): { readonly path: string; remove(): void } {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'cadastre-embedded-')))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** Opens one client on the server's socket, whose path is in the URL's query. */
function clientFor(url: string): postgres.Sql {
  const { searchParams, port, pathname, username } = new URL(url)
  const host = searchParams.get('host') ?? ''
  return postgres({
    host,
    port: Number(port),
    database: pathname.slice(1),
    username,
    max: 1,
    connect_timeout: 5,
    onnotice: () => undefined,
  })
}

/** Runs statements on a new connection, and returns the rows of the last one. */
export async function query(url: string, ...statements: readonly string[]): Promise<readonly postgres.Row[]> {
  const sql = clientFor(url)
  try {
    let rows: readonly postgres.Row[] = []
    for (const statement of statements) rows = await sql.unsafe(statement)
    return rows
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** The processes whose working directory is below a folder. For a Postgres server that is its data folder. */
export function processesBelow(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`).startsWith(folder)
      } catch {
        return false
      }
    })
}

/** Waits until `holds` returns true. @throws Error after a minute */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; !(await holds()); ) {
    if (Date.now() > end) throw new Error('The condition did not become true in time')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
