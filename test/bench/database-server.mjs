import { findBinaries } from '../../dist/store/embedded/binaries.js'
import { writeLogins } from '../../dist/store/embedded/gateway-role.js'
import { durableSettings } from '../../dist/store/embedded/postgres-settings.js'
import { launchPostmaster } from '../../dist/store/embedded/postmaster.js'
import { prepareCluster } from '../../dist/store/embedded/prepare-cluster.js'
import { chooseRunAs } from '../../dist/store/embedded/run-as.js'
import { runSingleUser } from '../../dist/store/embedded/run-program.js'
import { socketFolder, unixSocketUrl } from '../../dist/store/embedded/socket-folder.js'

/** Starts a server like the embedded one, in a folder, whose role may also create databases. */
export async function startDatabaseServer(folder) {
  const binaries = findBinaries()
  const as = chooseRunAs(binaries, folder)
  const cluster = `${folder}/cluster`
  await prepareCluster(cluster, binaries, as)
  writeLogins(cluster, as, 'local all cadastre trust\n')
  const rights = ['ALTER ROLE cadastre CREATEDB', 'GRANT pg_checkpoint TO cadastre']
  await runSingleUser({ as, binaries, cluster, database: 'postgres', sync: true }, rights)
  const sockets = socketFolder(folder, as.user)
  const settings = durableSettings(sockets)
  const server = await launchPostmaster({ binaries, as, cluster, settings, log: () => undefined })
  return { url: unixSocketUrl(sockets, 'cadastre'), pid: () => server.pid, stop: () => server.stop() }
}
