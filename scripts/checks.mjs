import { execFile } from 'node:child_process'
import { join } from 'node:path'

/**
 * Each row is a check: a Node script with its arguments, relative to the clone. It exits with 0 if all is well, and
 * otherwise prints the fault and what to do. The slowest come first, so that the shorter ones run beside them.
 */
export const checks = [
  {
    name: 'spelling',
    script: 'node_modules/cspell/bin.mjs',
    args: ['lint', '--no-progress', '--no-summary', '--cache', '--cache-location', 'node_modules/.cache/cspell'],
  },
  { name: 'types of src and test', script: 'node_modules/typescript/bin/tsc', args: ['--noEmit', '-p', 'test'] },
  { name: 'drizzle/ leads to the tables in the code', script: 'scripts/check-migrations.mjs', args: [] },
  {
    name: 'no unused file, export or dependency',
    script: 'node_modules/knip/bin/knip.js',
    args: ['--no-progress', '--treat-config-hints-as-errors'],
  },
  { name: 'types of the page', script: 'node_modules/typescript/bin/tsc', args: ['--noEmit', '-p', 'web-playground'] },
  {
    name: 'format and lint',
    script: 'node_modules/@biomejs/biome/bin/biome',
    args: ['check', '--error-on-warnings', '.'],
  },
  { name: 'schema/*.graphql is what the code prints', script: 'scripts/print-schema.mjs', args: ['--check'] },
  {
    name: 'typed GraphQL documents are current',
    script: 'scripts/generate-documents.mjs',
    args: ['--check'],
  },
  { name: 'docs/error-codes.md is what the code prints', script: 'scripts/print-error-codes.mjs', args: ['--check'] },
  { name: 'docs/bounds.md is what the code prints', script: 'scripts/generate-bounds.mjs', args: ['--check'] },
  { name: 'words that the style guide rules out', script: 'scripts/prose/check-prose.mjs', args: [] },
]

/** How many checks run at once. On two cores, more would not be faster. */
const AT_ONCE = 2

/**
 * Runs every check in a clone and prints a line for each, with the output of those that fail.
 * @param {string} root the clone's folder
 * @param {readonly { name: string, script: string, args: readonly string[] }[]} rows
 * @returns {Promise<number>} how many failed
 */
export async function runChecks(root, rows = checks) {
  const queue = [...rows]
  let failed = 0
  const work = async () => {
    for (let row = queue.shift(); row; row = queue.shift()) {
      const began = performance.now()
      const { ok, output } = await run(root, row)
      if (!ok) failed++
      const seconds = ((performance.now() - began) / 1000).toFixed(1)
      process.stdout.write(`${ok ? 'ok' : 'FAILED'}: ${row.name} (${seconds} s)\n${ok ? '' : output}`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return failed
}

function run(root, { script, args }) {
  return new Promise((resolve) => {
    const options = { cwd: root, maxBuffer: 64 * 1024 * 1024 }
    execFile(process.execPath, [join(root, script), ...args], options, (error, stdout, stderr) =>
      resolve({ ok: error === null, output: stdout + stderr }),
    )
  })
}
