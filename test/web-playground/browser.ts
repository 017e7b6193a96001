import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Browser, chromium } from 'playwright-core'

const root = fileURLToPath(new URL('../..', import.meta.url))

const FLAGS = [
  '--headless',
  '--no-sandbox', // As root there is no other way, and the only page it ever shows is ours.
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Requests to other hosts get no answer, so a page that needs one fails here as it would offline.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
]

/** Runs in a separate process: the package unpacks into the temporary folder, and its libraries only on AWS. */
const UNPACK = `import chromium from '@sparticuz/chromium'; await chromium.executablePath()`

const installedVersion = (): string => {
  const main = createRequire(import.meta.url).resolve('@sparticuz/chromium')
  const manifest = join(main.slice(0, main.lastIndexOf('build')), 'package.json')
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version
}

/**
 * Unpacks the browser once per clone and version (2 s, 230 MB). It is moved into place as a whole, so neither an aborted run
 * nor a concurrent one leaves half a browser behind.
 */
const unpackedBrowser = async (): Promise<string> => {
  const folder = join(root, 'node_modules', '.cadastre-test', `chromium-${installedVersion()}`)
  if (existsSync(folder)) return folder
  const staging = `${folder}.${process.pid}`
  await mkdir(staging, { recursive: true })
  const env = { ...process.env, TMPDIR: staging, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x' }
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', UNPACK], {
    cwd: root,
    env,
    timeout: 120_000,
  })
  const fonts = `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${join(folder, 'fonts', 'fonts')}</dir><cachedir>${join(folder, 'fonts-cache')}</cachedir></fontconfig>`
  await writeFile(join(staging, 'fonts', 'fonts.conf'), fonts.replaceAll('&', '&amp;'))
  await rename(staging, folder).catch(async (error: unknown) => {
    await rm(staging, { recursive: true, force: true })
    if (!existsSync(folder)) throw error
  })
  return folder
}

/**
 * A real Chromium from npm, with the libraries and fonts that a bare machine lacks. `CADASTRE_TEST_CHROMIUM` names another
 * one. Throws with advice if none runs.
 */
export const openBrowser = async (): Promise<Browser> => {
  const named = process.env['CADASTRE_TEST_CHROMIUM']
  try {
    if (named !== undefined) return await chromium.launch({ executablePath: named, args: FLAGS })
    const folder = await unpackedBrowser()
    const libraries = [join(folder, 'al2023', 'lib'), process.env['LD_LIBRARY_PATH']].filter(Boolean).join(delimiter)
    const env = { ...process.env, LD_LIBRARY_PATH: libraries, FONTCONFIG_FILE: join(folder, 'fonts', 'fonts.conf') }
    return await chromium.launch({
      executablePath: join(folder, 'chromium'),
      args: FLAGS,
      env: env as Record<string, string>,
    })
  } catch (error) {
    throw new Error(
      `No Chromium runs here (${named ?? `the one from npm, on ${process.platform} ${process.arch}`}). The one from npm needs ` +
        'Linux with glibc on x64; elsewhere set CADASTRE_TEST_CHROMIUM to the path of a Chromium or Chrome.',
      { cause: error },
    )
  }
}
