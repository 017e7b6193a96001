/** Server settings by name. */
export type PostgresSettings = Readonly<Record<string, string | number>>

/**
 * The settings of the embedded store. They are durable: an acknowledged commit is on disk, and a torn page can be
 * repaired. They are passed at every start, so that the data folder of an older gateway gets the current ones.
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
    // This server has no replicas. Without them a bulk load may skip part of the write-ahead log.
    wal_level: 'minimal',
    max_wal_senders: 0,
  }
}

/** The settings of every server that this project starts: one private socket, UTC, plain messages. */
export function commonSettings(socketFolder: string): PostgresSettings {
  return {
    // No TCP: only this user can reach the socket. The port is only part of the socket's file name.
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

/** Formats the settings as arguments of `postgres`. */
export function settingArguments(settings: PostgresSettings): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}
