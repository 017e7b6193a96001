// Installs what only the bench needs: its packages, from its own lock file, and etcd if apt is available.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('.', import.meta.url))
const MARK = 'node_modules/.installed'

export function installPackages() {
  const lock = readFileSync(`${folder}package-lock.json`, 'utf8')
  if (existsSync(folder + MARK) && readFileSync(folder + MARK, 'utf8') === lock) return
  console.error('installing the packages of the bench')
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  writeFileSync(folder + MARK, lock)
}

/** Returns null if etcd is available, or the reason why not. */
export function installEtcd() {
  const isThere = () => spawnSync('etcd', ['--version']).status === 0
  if (isThere()) return null
  if (spawnSync('apt-get', ['--version']).error !== undefined)
    return 'etcd is not installed, and apt is not available to install it'
  if (process.getuid?.() !== 0) return 'etcd is not installed; as root: apt-get install etcd-server'
  console.error('installing etcd-server')
  const apt = (...args) =>
    spawnSync('apt-get', args, { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }).status
  const wanted = ['install', '-y', '--no-install-recommends', 'etcd-server']
  if (apt(...wanted) !== 0 && (apt('update') !== 0 || apt(...wanted) !== 0))
    return 'etcd-server could not be installed by apt-get'
  return isThere() ? null : 'etcd-server was installed, but etcd does not run'
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  installPackages()
  const without = installEtcd()
  if (without !== null) console.error(without)
}
