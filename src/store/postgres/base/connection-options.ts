import type { Options } from 'postgres'

type Connection = Options<Record<string, never>>

/** Seconds between attempts to reconnect. The driver's own backoff reaches 20 s. */
const RECONNECT_SECONDS = 0.1
/** @bound Time for connecting to Postgres. */
const CONNECT_TIMEOUT_SECONDS = 5

/**
 * Parses `DATABASE_URL`: `postgres://user:password@host:port/database?…`. The folder of a Unix socket is given as
 * `?host=/folder` or, percent-encoded, as the host.
 * @throws Error naming the part that cannot be parsed
 */
export function connectionOptions(databaseUrl: string): Connection {
  let url: URL
  try {
    // The password may be anything, so only the form of the rest is reported.
    url = new URL(databaseUrl)
  } catch {
    throw new Error('DATABASE_URL is not a URL of the form postgres://user:password@host:port/database.')
  }
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') {
    throw new Error(`DATABASE_URL begins with ${url.protocol}//. It must begin with postgres://.`)
  }
  const parameters = url.searchParams
  const host = parameters.get('host') ?? (decodeURIComponent(url.hostname) || 'localhost')
  const port = Number(parameters.get('port') ?? (url.port || 5432))
  const user = decodeURIComponent(url.username) || parameters.get('user') || 'postgres'
  const database = decodeURIComponent(url.pathname.slice(1)) || user
  const password = decodeURIComponent(url.password) || parameters.get('password')
  const ssl = SSL_BY_MODE[parameters.get('sslmode') ?? 'prefer-none']
  return {
    host,
    port,
    user,
    database,
    ...(host.startsWith('/') && { path: `${host}/.s.PGSQL.${port}` }),
    ...(password !== null && password !== '' && { password }),
    ...(ssl !== undefined && { ssl }),
    backoff: () => RECONNECT_SECONDS,
    connect_timeout: CONNECT_TIMEOUT_SECONDS,
    onnotice: () => {},
    // See `addArrayTypes`.
    fetch_types: false,
  }
}

const SSL_BY_MODE: Readonly<Record<string, 'require' | 'prefer' | 'allow' | 'verify-full' | false | undefined>> = {
  disable: false,
  allow: 'allow',
  prefer: 'prefer',
  require: 'require',
  'verify-ca': 'verify-full',
  'verify-full': 'verify-full',
}
