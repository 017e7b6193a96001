/** What a server is started with, by name. */
export type PostgresSettings = Readonly<Record<string, string | number>>

/**
 * Settings of the embedded store. Durable: an acknowledged commit is on the disk, and a torn page can be mended.
 * They are handed over at every start, so that a data folder written by an older gateway gets the present ones.
 */
export function durableSettings(socketFolder: string): PostgresSettings {
  return {
    ...commonSettings(socketFolder),
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
    max_connections: 100,
    shared_buffers: '128MB',
    maintenance_work_mem: '128MB',
    max_wal_size: '1GB',
    // Nobody replicates this server; without replication a bulk load may skip part of the log.
    wal_level: 'minimal',
    max_wal_senders: 0,
    // The gateway's statements are short: compiling them costs more than running them.
    jit: 'off',
  }
}

/** What every server that we start has: one private socket, UTC, plain messages. */
export function commonSettings(socketFolder: string): PostgresSettings {
  return {
    // Only the socket, which only we can reach; the port merely names its file.
    listen_addresses: '',
    port: socketPort,
    unix_socket_directories: `"${socketFolder}"`,
    unix_socket_permissions: '0700',
    timezone: 'UTC',
    log_timezone: 'UTC',
    lc_messages: 'C',
    log_destination: 'stderr',
    logging_collector: 'off',
    log_line_prefix: '%m [%p] ',
  }
}

/** The port in the name of the socket's file, `.s.PGSQL.<port>`. */
export const socketPort = 5432

/** The settings as arguments of `postgres`. */
export function settingArguments(settings: PostgresSettings): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}
