import { findBinaries } from '../../../src/store/embedded/binaries.js'
import { takeOwnership } from '../../../src/store/embedded/ownership.js'
import { durableSettings } from '../../../src/store/embedded/postgres-settings.js'
import { launchPostmaster } from '../../../src/store/embedded/postmaster.js'
import { prepareCluster } from '../../../src/store/embedded/prepare-cluster.js'
import { chooseRunAs } from '../../../src/store/embedded/run-as.js'
import { socketFolder } from '../../../src/store/embedded/socket-folder.js'
import { startEmbeddedPostgres } from '../../../src/store/embedded/start-embedded-postgres.js'

// The tasks of the tests' child processes. The first argument names the task, the second is a folder.
const [, , task = '', folder = ''] = process.argv
const say = (line: string) => void process.stdout.write(`${line}\n`)
const work: Readonly<Record<string, () => Promise<void>>> = {
  /** Owns and runs an embedded server until it is killed. It reports a Ctrl-C and keeps running. */
  async serve() {
    process.on('SIGINT', () => say('received SIGINT'))
    const server = await startEmbeddedPostgres({ dataDir: folder })
    say(`ready ${server.pid()} ${server.url}`)
    setInterval(() => undefined, 1_000)
  },
  /** Runs a server that outlives this process, as on a system without setpriv. */
  async abandon() {
    const binaries = findBinaries()
    const as = chooseRunAs(binaries, folder)
    const signalled = as.prefix.indexOf('--pdeathsig')
    const prefix = signalled === -1 ? as.prefix : as.prefix.slice(0, signalled - 1)
    await prepareCluster(`${folder}/cluster`, binaries, { ...as, prefix })
    const { pid } = await launchPostmaster({
      binaries,
      as: { ...as, prefix },
      cluster: `${folder}/cluster`,
      settings: durableSettings(socketFolder(folder, as.user)),
      log: () => undefined,
    })
    say(`ready ${pid} -`)
  },
  /** Waits for a line, tries to become the owner, prints the outcome and keeps running. */
  async own() {
    say('waiting')
    await new Promise((resolve) => process.stdin.once('data', resolve))
    await takeOwnership(folder).then(
      () => say('won'),
      (error: Error) => say(`lost: ${error.message}`),
    )
    setInterval(() => undefined, 1_000)
  },
}
await work[task]?.()
