// npm run bench: measures every workload by every system, some rounds of it, and writes RESULTS.md.
//   --short         the smallest registry alone and short loads: two minutes
//   --only TEXT     workloads whose part or name holds it; nothing is written
//   --sizes 10000,100000,1000000    --rounds 3    --seconds 5
import { parseArgs } from 'node:util'
import { prepare } from '../../scripts/prepare/prepare.mjs'
import { installEtcd, installPackages } from './install.mjs'

const { values: flags } = parseArgs({
  options: { short: { type: 'boolean' }, only: { type: 'string' }, sizes: { type: 'string' }, rounds: { type: 'string' }, seconds: { type: 'string' } },
})
const number = (name, usual, short) => Number(flags[name] ?? (flags.short ? short : usual))
const options = {
  sizes: (flags.sizes ?? (flags.short ? '10000' : '10000,100000,1000000')).split(',').map(Number).sort((a, b) => a - b),
  rounds: number('rounds', 3, 3),
  ms: number('seconds', 5, 1) * 1_000,
  warmUpMs: flags.short ? 400 : 1_500,
  changes: flags.short ? 10 : 50,
}

if (process.env.BENCH_BUILT === undefined) await prepare({ only: 'server' })
installPackages()
const withoutEtcd = installEtcd()

// What they import is built and installed only now.
const { runWorkloads } = await import('./run-workloads.mjs')
const { writeResults, printed } = await import('./report.mjs')
const { WORKLOADS } = await import('./workloads.mjs')

const chosen = WORKLOADS.filter(({ part, name, inShort }) => (
  flags.only === undefined ? !flags.short || inShort === true : part.includes(flags.only) || name.includes(flags.only)
))
const without = withoutEtcd === null ? {} : { etcd: withoutEtcd }
const run = await runWorkloads(chosen, options, without, (result) => console.log(printed(result)))
if (flags.only === undefined) {
  const command = ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' ')
  writeResults({ ...run, options, command, without })
}
