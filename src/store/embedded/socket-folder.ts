import { createHash } from 'node:crypto'
import { lchownSync, lstatSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFolder } from './create-folder.js'
import { DATABASE_URL_HINT, EmbeddedUnavailable } from './embedded-unavailable.js'
import { socketPort } from './postgres-settings.js'

// sun_path has 108 bytes on Linux and 104 on macOS, including a zero at the end.
const longestPath = process.platform === 'linux' ? 107 : 103

/**
 * Makes the folder of a server's socket. It is in `folder` unless the socket's path would be too long for the system,
 * or has characters that Postgres' list of folders does not allow. In that case it is a short path in the system's
 * temporary folder.
 * @param server the user that runs the server, if that is not the current one; the folder is given to that user
 * @throws EmbeddedUnavailable if the folder belongs to another user
 */
export function socketFolder(
  folder: string,
  server?: { readonly uid: number; readonly gid: number },
  temporary: string = tmpdir(),
): string {
  const near = join(folder, 'socket')
  const fits = Buffer.byteLength(join(near, `.s.PGSQL.${socketPort}`)) <= longestPath && !/["\\\n]/.test(near)
  const chosen = fits
    ? near
    : join(temporary, `cadastre-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`)
  createFolder(chosen, 0o700)
  const found = lstatSync(chosen)
  const ours = found.uid === process.getuid?.() || found.uid === server?.uid
  if (!found.isDirectory() || !ours || (found.mode & 0o077) !== 0) {
    throw new EmbeddedUnavailable(
      `${chosen}, meant for its socket, is not a folder that belongs to this user alone; remove it, or ${DATABASE_URL_HINT}`,
    )
  }
  if (server) lchownSync(chosen, server.uid, server.gid)
  return chosen
}

/** The server's address as a URL. As in libpq, the host in the query wins. */
export function unixSocketUrl(folder: string, database: string): string {
  return `postgres://cadastre@localhost:${socketPort}/${database}?host=${encodeURIComponent(folder)}`
}
