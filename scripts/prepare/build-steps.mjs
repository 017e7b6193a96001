import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inputHash } from './input-hash.mjs'
import { runTool } from './run-tool.mjs'
import { withProgress } from './with-progress.mjs'

/** The build steps. Each has its own inputs and runs only when those have changed. Paths are relative to the clone. */
const steps = [
  {
    name: 'server',
    inputs: ['src', 'tsconfig.json', 'package-lock.json'],
    output: 'dist/server/main.js',
    // `npm test` checks types. A first start should take at most 5 s, and the build takes 0.8 s without types, 3.5 s
    // with them.
    tool: ['node_modules/typescript/bin/tsc', '-p', '.', '--noCheck'],
    // Removes the output of deleted source files, and the bundle with it. The page does not depend on them.
    clean: (dist) => readdirSync(dist).filter((name) => !name.startsWith('playground') && name !== '.built'),
  },
  {
    name: 'bundle',
    inputs: ['src', 'tsconfig.json', 'package-lock.json'],
    output: 'dist/bundle/serve.js',
    // The compiled files are newer if someone has run the compiler by hand. The bundle is not used then.
    isStale: (root) =>
      statSync(join(root, 'dist/bundle/serve.js')).mtimeMs <
      (statSync(join(root, 'dist/server/main.js'), { throwIfNoEntry: false })?.mtimeMs ?? 0),
    tool: ['scripts/bundle.mjs', 'dist/bundle.new'],
    clean: () => ['bundle'],
    finish: (dist) => renameSync(join(dist, 'bundle.new'), join(dist, 'bundle')),
  },
  {
    name: 'page',
    inputs: ['web-playground', 'schema', 'package-lock.json'],
    output: 'dist/playground/index.html',
    // Built under another name and then renamed, so that a running gateway serves either the whole page or none.
    tool: [
      'node_modules/vite/bin/vite.js',
      'build',
      'web-playground',
      '--outDir',
      '../dist/playground.new',
      '--logLevel',
      'warn',
    ],
    clean: () => ['playground'],
    // Visitors see that a page is being built. An earlier one would lose its files while they use it.
    announce: (dist) => {
      rmSync(join(dist, 'playground'), { recursive: true, force: true })
      rmSync(join(dist, 'playground.new'), { recursive: true, force: true })
      mkdirSync(join(dist, 'playground.new'))
    },
    // Visitors would wait for a build that has failed.
    fail: (dist) => rmSync(join(dist, 'playground.new'), { recursive: true, force: true }),
    finish: (dist) => renameSync(join(dist, 'playground.new'), join(dist, 'playground')),
  },
]

/** Returns the steps whose inputs have changed since their last run, each with the hash of its inputs. */
export function stepsToTake(root) {
  // Two steps have the same inputs, which are hashed only once because every start waits for this.
  const hashes = new Map(steps.map(({ inputs }) => [inputs.join(), inputs]))
  for (const [key, inputs] of hashes) hashes.set(key, inputHash(root, inputs))
  return steps
    .map((step) => ({ ...step, hash: hashes.get(step.inputs.join()) }))
    .filter(({ name, output, hash, isStale }) => {
      const stamp = stampOf(root, name)
      return (
        !existsSync(join(root, output)) ||
        !existsSync(stamp) ||
        readFileSync(stamp, 'utf8') !== hash ||
        isStale?.(root) === true
      )
    })
}

const stampOf = (root, name) => join(root, 'dist', '.built', name)

/**
 * Runs the server's step, which the others need, and then the others in parallel. With `only`, it runs the server's
 * step and announces the others.
 */
export async function build(root, steps, only) {
  const dist = join(root, 'dist')
  mkdirSync(join(dist, '.built'), { recursive: true })
  for (const { announce } of steps) announce?.(dist)
  await takeAll(
    root,
    steps.filter(({ name }) => name === 'server'),
  )
  if (only !== 'server')
    await takeAll(
      root,
      steps.filter(({ name }) => name !== 'server'),
    )
}

async function takeAll(root, steps) {
  if (steps.length === 0) return
  const results = await withProgress(`Building the ${steps.map(({ name }) => name).join(' and the ')}`, () =>
    Promise.allSettled(steps.map((step) => take(root, step))),
  )
  const failure = results.find(({ status }) => status === 'rejected')
  if (failure) throw failure.reason
}

async function take(root, { name, tool, clean, finish, fail, hash }) {
  const dist = join(root, 'dist')
  rmSync(stampOf(root, name), { force: true })
  for (const entry of clean(dist)) rmSync(join(dist, entry), { recursive: true, force: true })
  const [script, ...args] = tool
  const code = await runTool(process.execPath, [join(root, script), ...args], { cwd: root, stdio: ['ignore', 2, 2] })
  if (code !== 0) {
    fail?.(dist)
    throw new Error(`building the ${name} failed; the messages are above`)
  }
  finish?.(dist)
  writeFileSync(stampOf(root, name), hash)
}
