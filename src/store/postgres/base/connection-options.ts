import type { Options } from 'postgres'

type Connection = Options<Record<string, never>>

/** A lost server is tried again that often, in seconds: the driver's own back-off reaches 20 s. */
const RECONNECT_SECONDS = 0.1
/** @bound Time for connecting to Postgres. */
const CONNECT_TIMEOUT_SECONDS = 5

/**
 * Reads `DATABASE_URL`: `postgres://user:password@host:port/database?…`. A Unix socket's folder stands as
 * `?host=/folder` or percent-encoded in the host's place.
 * @throws Error naming what cannot be read
 */
export function connectionOptions(databaseUrl: string): Connection {
  let url: URL
  try {
    // The password may be anything, so only the form of the rest is reported.
    url = new URL(databaseUrl)
  } catch {
    throw new Error('DATABASE_URL is not a URL of the form postgres://user:password@host:port/database')
  }
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') {
    throw new Error(`DATABASE_URL begins with ${url.protocol}// where postgres:// is needed`)
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
