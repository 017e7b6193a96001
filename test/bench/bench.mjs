// npm run bench: measures every workload on every system in several rounds, and writes RESULTS.md. README.md describes each.
//   --short           only the smallest registry, few workloads, short loads: two minutes; writes nothing
//   --only TEXT       workloads whose part or name contains TEXT (several separated by commas); writes nothing without --keep
//   --keep            replaces the rows of the measured workloads in RESULTS.md
//   --against FOLDER  the gateway of this checkout and of another one in FOLDER, which is built; writes nothing
//   --resume          continues an interrupted run: skips workloads measured with the same rounds and seconds
//   --sizes 10000,100000,1000000    --rounds 3    --seconds 5
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { prepare } from '../../scripts/prepare/prepare.mjs'
import { installEtcd, installPackages } from './install.mjs'

const { values: flags } = parseArgs({
  options: {
    short: { type: 'boolean' },
    only: { type: 'string' },
    keep: { type: 'boolean' },
    against: { type: 'string' },
    resume: { type: 'boolean' },
    sizes: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
  },
})
const number = (name, usual, short) => {
  const value = Number(flags[name] ?? (flags.short ? short : usual))
  if (!(value > 0)) throw new Error(`--${name} is "${flags[name]}"; it must be a number above 0`)
  return value
}
const options = {
  sizes: (flags.sizes ?? (flags.short ? '10000' : '10000,100000,1000000'))
    .split(',')
    .map(Number)
    .sort((a, b) => a - b),
  rounds: number('rounds', 3, 2),
  ms: number('seconds', 5, 1) * 1_000,
  warmUpMs: flags.short || number('seconds', 5, 1) < 3 ? 400 : 1_500,
  changes: flags.short ? 10 : 50,
  isShort: flags.short === true,
}
// Short runs are not written, because their figures are rough.
const isWritten = flags.against === undefined && (flags.keep === true || (flags.only === undefined && !flags.short))

if (process.env.BENCH_BUILT === undefined) await prepare()
installPackages()
const withoutEtcd = installEtcd()

// Imported late, because these modules import files that were just built and installed.
const { runWorkloads } = await import('./run-workloads.mjs')
const { printed, writeResults } = await import('./report.mjs')
const { comparedWith, WORKLOADS } = await import('./workloads.mjs')
const { readMeasured, writeMeasured } = await import('./measured.mjs')

const words = flags.only?.split(',').map((word) => word.trim())
const named = WORKLOADS.filter(({ part, name, inShort }) =>
  words === undefined
    ? part !== 'ablation' && (!flags.short || inShort === true)
    : // The ablation repeats other workloads under their names, so only its own name chooses it.
      words.some((word) => part.includes(word) || (part !== 'ablation' && name.includes(word))),
)
const chosen = flags.against === undefined ? named : comparedWith(resolve(flags.against, 'dist/server/main.js'), named)
if (chosen.length === 0)
  throw new Error(
    `No workload's part or name contains "${flags.only}". Workloads:\n${WORKLOADS.map(({ part, name }) => `${part}: ${name}`).join('\n')}`,
  )
const without = withoutEtcd === null ? {} : { etcd: withoutEtcd }
const command = ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' ')

const measured = flags.resume || flags.keep ? readMeasured() : []
const isThere = (workload, size) =>
  flags.resume === true &&
  measured.some(
    (result) =>
      result.name === workload.name &&
      result.size === size &&
      result.failed === undefined &&
      result.rounds.length === options.rounds &&
      result.ms === options.ms,
  )
const began = performance.now()
const run = await runWorkloads(chosen, options, without, {
  isThere,
  say: (line) => console.error(`${String(Math.round((performance.now() - began) / 1_000)).padStart(5)} s  ${line}`),
  done(result) {
    const at = measured.findIndex(({ name, size }) => name === result.name && size === result.size)
    measured.splice(at < 0 ? measured.length : at, at < 0 ? 0 : 1, {
      ...result,
      ms: options.ms,
      command,
      date: new Date().toISOString().slice(0, 10),
    })
    console.log(printed(result))
    if (isWritten) writeMeasured(measured)
  },
})
if (isWritten) writeResults(measured, { postgres: run.postgres, without })
if (run.failed > 0) {
  console.error(`${run.failed} ${run.failed === 1 ? 'workload' : 'workloads'} failed, see above`)
  process.exitCode = 1
}
