import { closeSync, fchownSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunAs } from './run-as.js'
import { runSingleUser, type SingleUser } from './run-program.js'

/** The database of the gateway, and the role that owns it. The role has no other right. */
export const DATABASE_NAME = 'cadastre'

/**
 * The superuser. It owns the system catalogs and is used in single-user mode only. No connection may use it, because a
 * superuser reads every file of the server's user and runs programs as that user.
 */
export const SUPERUSER = 'cadastre_superuser'

/** `pg_hba.conf`: one role, one database, one socket, whose folder is closed to all but the server's user. */
const LOGINS = `local ${DATABASE_NAME} ${DATABASE_NAME} trust\n`

/** Statements that make the role and the database of the gateway in a new cluster. */
export const CREATE_DATABASE = [
  `CREATE ROLE ${DATABASE_NAME} LOGIN`,
  `CREATE DATABASE ${DATABASE_NAME} OWNER ${DATABASE_NAME}`,
]

// The object id of a cluster's first superuser, and the lowest one of an object that is not part of Postgres.
const [SUPERUSER_ID, FIRST_ID] = [10, 16_384]

// In clusters of older gateways the gateway's role is the superuser, which Postgres requires to stay one. So it gets
// another name, and a new role gets its old name and what it made. ALTER ROLE cannot rename the session's own user.
// One statement is one transaction: a start that is killed changes all of it or nothing.
const REPLACE_ROLE = `
  DO $$ DECLARE object record; BEGIN
    UPDATE pg_authid SET rolname = '${SUPERUSER}' WHERE oid = ${SUPERUSER_ID} AND rolname = '${DATABASE_NAME}';
    IF NOT EXISTS (SELECT FROM pg_authid WHERE rolname = '${DATABASE_NAME}') THEN
      CREATE ROLE ${DATABASE_NAME} LOGIN;
    END IF;
    ALTER DATABASE ${DATABASE_NAME} OWNER TO ${DATABASE_NAME};
    FOR object IN
      SELECT found.type, found.identity FROM (
        SELECT tableoid, oid FROM pg_class WHERE relowner = ${SUPERUSER_ID} AND relpersistence <> 't'
          AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        UNION ALL SELECT tableoid, oid FROM pg_namespace WHERE nspowner = ${SUPERUSER_ID} AND nspname NOT LIKE 'pg\\_%'
        UNION ALL SELECT tableoid, oid FROM pg_type WHERE typowner = ${SUPERUSER_ID} AND typtype IN ('d', 'e', 'r')
        UNION ALL SELECT tableoid, oid FROM pg_proc WHERE proowner = ${SUPERUSER_ID}
      ) AS owned, pg_identify_object(owned.tableoid, owned.oid, 0) AS found
      WHERE owned.oid >= ${FIRST_ID} AND NOT EXISTS (
        SELECT FROM pg_depend d WHERE d.classid = owned.tableoid AND d.objid = owned.oid AND d.objsubid = 0
          AND (d.deptype IN ('e', 'i') OR d.deptype = 'a' AND found.type = 'sequence'))
    LOOP
      EXECUTE format('ALTER %s %s OWNER TO ${DATABASE_NAME}', object.type, object.identity);
    END LOOP;
  END $$`

/**
 * Makes the gateway's role a plain one, which owns its database and nothing else, and lets no other role connect. Does
 * nothing if that is so. May be killed at any time: the next start continues.
 * @throws EmbeddedUnavailable if a statement fails
 */
export async function withdrawSuperuser(
  cluster: string,
  where: Omit<SingleUser, 'cluster' | 'database'>,
): Promise<void> {
  // The file is written last, so it shows that everything else is done.
  if (readFileSync(join(cluster, 'pg_hba.conf'), 'utf8') === LOGINS) return
  await runSingleUser({ ...where, cluster, database: DATABASE_NAME }, [REPLACE_ROLE])
  writeLogins(cluster, where.as)
}

/** Writes `pg_hba.conf`. @param logins for throwaway servers, which others may reach */
export function writeLogins(cluster: string, as: RunAs, logins = LOGINS): void {
  const path = join(cluster, 'pg_hba.conf')
  const fresh = `${path}.new`
  rmSync(fresh, { force: true })
  // The folder is the server's user's. A symlink that somebody puts there must not lead root to another file.
  const handle = openSync(fresh, 'wx', 0o600)
  try {
    writeFileSync(handle, logins)
    if (as.user) fchownSync(handle, as.user.uid, as.user.gid)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  renameSync(fresh, path)
}
