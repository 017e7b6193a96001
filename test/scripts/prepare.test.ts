import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

// The scripts are plain JavaScript, run here as they are: by node, in a folder of the test's own.
const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function clone(files: Readonly<Record<string, string>>): string {
  const folder = join(realpathSync(mkdtempSync(join(tmpdir(), 'cadastre-scripts-'))), 'a clone')
  folders.push(dirname(folder))
  cpSync(join(root, 'scripts'), join(folder, 'scripts'), { recursive: true })
  write(folder, files)
  return folder
}

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
}

/** Evaluates code in a process of its own, with the exports of the named script, and returns its output. */
function evaluate(folder: string, script: string, code: string): { out: string; err: string; status: number | null } {
  const url = pathToFileURL(join(folder, 'scripts', script)).href
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', `import * as it from ${JSON.stringify(url)}; const root = process.cwd(); ${code}`],
    { cwd: folder, encoding: 'utf8' },
  )
  return { out: stdout.trim(), err: stderr.trim(), status }
}

describe('the check of the installation', () => {
  const lock = (version: string) =>
    JSON.stringify({
      packages: { '': {}, 'node_modules/a': { version }, 'node_modules/b': { version: '1.0.0', optional: true } },
    })
  const record = (version: string) => JSON.stringify({ packages: { 'node_modules/a': { version } } })
  const isInstalled = (folder: string) =>
    evaluate(folder, 'prepare/install.mjs', 'console.log(it.isInstalled(root))').out

  it('requires an install in a fresh clone', () => {
    expect(isInstalled(clone({ 'package-lock.json': lock('1.0.0') }))).toBe('false')
  })

  it('accepts an install by hand of the packages in package-lock.json, until that changes', () => {
    const folder = clone({ 'package-lock.json': lock('1.0.0'), 'node_modules/.package-lock.json': record('1.0.0') })
    expect(isInstalled(folder)).toBe('true')
    write(folder, { 'package-lock.json': lock('2.0.0') })
    expect(isInstalled(folder)).toBe('false')
  })

  it('requires an install after an interrupted one or one of other packages', () => {
    expect(isInstalled(clone({ 'package-lock.json': lock('1.0.0'), 'node_modules/a/package.json': '{}' }))).toBe(
      'false',
    )
    const other = clone({ 'package-lock.json': lock('2.0.0'), 'node_modules/.package-lock.json': record('1.0.0') })
    expect(isInstalled(other)).toBe('false')
  })
})

describe('the build steps', () => {
  const sources = {
    'src/a.ts': 'export const a = 1\n',
    'web-playground/index.html': '<p>',
    'schema/schema.graphql': 'type Query',
    'tsconfig.json': '{}',
    'package-lock.json': '{}',
  }
  const left = (folder: string) =>
    evaluate(folder, 'prepare/build-steps.mjs', 'console.log(it.stepsToTake(root).map(({ name }) => name).join())').out
  // The files of a finished build.
  const built = (folder: string) => {
    write(folder, { 'dist/server/main.js': '', 'dist/bundle/serve.js': '', 'dist/playground/index.html': '' })
    evaluate(
      folder,
      'prepare/build-steps.mjs',
      `
      import { mkdirSync, writeFileSync } from 'node:fs'
      const steps = it.stepsToTake(root)
      mkdirSync('dist/.built')
      for (const { name, hash } of steps) writeFileSync('dist/.built/' + name, hash)`,
    )
  }

  it('are all at first, then none, and later only those with changed inputs', () => {
    const folder = clone(sources)
    expect(left(folder)).toBe('server,bundle,page')
    built(folder)
    expect(left(folder)).toBe('')
    write(folder, { 'src/a.ts': 'export const a = 2\n' })
    expect(left(folder)).toBe('server,bundle')
    write(folder, { 'schema/operations/b.graphql': '{ a }' })
    expect(left(folder)).toBe('server,bundle,page')
  })

  it('are none if only times changed, as after a checkout', () => {
    const folder = clone(sources)
    built(folder)
    utimesSync(join(folder, 'src/a.ts'), new Date(), new Date())
    expect(left(folder)).toBe('')
  })

  it('include the bundle after a compilation by hand, because it would not run', () => {
    const folder = clone(sources)
    built(folder)
    const later = Date.now() / 1_000 + 60
    utimesSync(join(folder, 'dist/server/main.js'), later, later)
    expect(left(folder)).toBe('bundle')
  })

  it('include outputs that were removed, and inputs that were renamed', () => {
    const folder = clone(sources)
    built(folder)
    rmSync(join(folder, 'dist/playground'), { recursive: true })
    expect(left(folder)).toBe('page')
    rmSync(join(folder, 'src/a.ts'))
    write(folder, { 'src/b.ts': sources['src/a.ts'] })
    expect(left(folder)).toBe('server,bundle,page')
  })
})

describe('two commands in one clone', () => {
  const work = (name: string) => `
    await it.whileAlone(root, async () => {
      console.log('${name} in')
      await new Promise((resolve) => setTimeout(resolve, 300))
      console.log('${name} out')
    })`

  it('install and build one after another', () => {
    const folder = clone({})
    const { out } = evaluate(
      folder,
      'prepare/clone-lock.mjs',
      `await Promise.all([(async () => {${work('one')}})(), (async () => {${work('two')}})()])`,
    )
    expect(out.split('\n')).toEqual(['one in', 'one out', 'two in', 'two out'])
  })

  it('do not wait for one that was killed', async () => {
    const folder = clone({})
    const url = pathToFileURL(join(folder, 'scripts/prepare/clone-lock.mjs')).href
    const code = `import { whileAlone } from ${JSON.stringify(url)}; await whileAlone(${JSON.stringify(folder)}, () => { console.log('in'); return new Promise((resolve) => setTimeout(resolve, 60_000)) })`
    const first = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(first.stdout, 'data')
    first.kill('SIGKILL')
    await once(first, 'exit')
    const { out, err } = evaluate(folder, 'prepare/clone-lock.mjs', work('next'))
    expect(out.split('\n')).toEqual(['next in', 'next out'])
    expect(err).toBe('')
  })
})

describe('progress', () => {
  // A first start was silent for two minutes, which looks like a command that hangs.
  it('is reported at once, again and again, and at the end of what took long', () => {
    const { out, err } = evaluate(
      clone({}),
      'prepare/with-progress.mjs',
      `const work = () => new Promise((resolve) => setTimeout(resolve, 400, 'result'))
       console.log(await it.withProgress('Working', work, 100), await it.withProgress('Quick work', () => 'quick'))`,
    )
    expect(out).toBe('result quick')
    expect(err.split('\n')[0]).toBe('Working …')
    expect(err.match(/^Working … \d+ s$/gm)!.length).toBeGreaterThan(0)
    expect(err).toMatch(/\nWorking: done after \d+ s\nQuick work …$/)
  })

  it('begins with the installation in a fresh clone, and ends with the reason if that fails', () => {
    const folder = clone({ 'package-lock.json': '{"packages": {}}', 'npm.mjs': 'process.exit(1)' })
    const { stdout, stderr, status } = spawnSync(process.execPath, [join(folder, 'scripts/start.mjs')], {
      encoding: 'utf8',
      env: { ...process.env, npm_execpath: join(folder, 'npm.mjs') },
    })
    expect({ stdout, status }).toEqual({ stdout: '', status: 1 })
    expect(stderr).toBe('Installing the packages (npm ci) …\nnpm ci failed; its messages are above\n')
  })

  it('of a build that failed lets no visitor wait for the page', () => {
    const folder = clone({
      'src/a.ts': '',
      'dist/server/main.js': '',
      'node_modules/vite/bin/vite.js': 'process.exit(1)',
      'package-lock.json': '{}',
    })
    const { err } = evaluate(
      folder,
      'prepare/build-steps.mjs',
      `import { existsSync } from 'node:fs'
       const page = it.stepsToTake(root).filter(({ name }) => name === 'page')
       await it.build(root, page, 'server')
       console.error(existsSync('dist/playground.new'))
       await it.build(root, page).catch(({ message }) => console.error(message, existsSync('dist/playground.new')))`,
    )
    expect(err).toBe('true\nBuilding the page …\nbuilding the page failed; the messages are above false')
  })
})

describe('the scripts', () => {
  it('report in one line that Node is too old', () => {
    const { err, status } = evaluate(clone({}), 'prepare/node-version.mjs', 'it.requireNode([99, 1])')
    expect(err).toBe(`Cadastre needs Node 99.1 or later, and this is ${process.versions.node}.`)
    expect(status).toBe(1)
  })

  it('import no installed package at their top', () => {
    const files = readdirSync(join(root, 'scripts/prepare')).map((name) => `prepare/${name}`)
    for (const file of [
      ...files,
      'start.mjs',
      'test.mjs',
      'build.mjs',
      'checks.mjs',
      'closing-line.mjs',
      'count-reporter.mjs',
    ]) {
      const text = readFileSync(join(root, 'scripts', file), 'utf8')
      const imported = [...text.matchAll(/^(?:import|export)\b.*?['"](.*)['"]$/gm)].map(([, name]) => name ?? '')
      expect(
        imported.filter((name) => !/^(?:node:|\.)/.test(name)),
        file,
      ).toEqual([])
    }
  })

  it.each([
    ['{ passed: 12, failed: 0 }, 0, 0', '12 passed, 0 failed'],
    ['{ passed: 12, failed: 3 }, 1, 0', '12 passed, 3 failed'],
    ['{ passed: 12, failed: 0 }, 1, 0', '12 passed, 1 failed'],
    ['{ passed: 12, failed: 3 }, 1, 2', '12 passed, 5 failed'],
    ['undefined, 1, 0', '0 passed, 1 failed'],
  ])('end a run of the suite with its numbers: %s', (args, line) => {
    expect(evaluate(clone({}), 'closing-line.mjs', `console.log(it.closingLine(${args}))`).out).toBe(line)
  })

  it('report what to do if the command line is not built', () => {
    const folder = clone({})
    cpSync(join(root, 'bin'), join(folder, 'bin'), { recursive: true })
    const { stderr, status } = spawnSync(process.execPath, [join(folder, 'bin/cadastre.mjs')], { encoding: 'utf8' })
    expect(stderr).toBe(`cadastre is not built yet: run "npm run build" in ${folder}/\n`)
    expect(status).toBe(2)
  })
})
