// Prints results as Markdown: every aim in one table, then a table of all figures for each workload.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { judged } from './judge.mjs'
import { median } from './statistics.mjs'
import { SYSTEMS, versionOfEtcd } from './systems.mjs'
import { WORKLOADS } from './workloads.mjs'

const file = (name) => fileURLToPath(new URL(name, import.meta.url))
const TITLES = { perSecond: 'a second', p50: 'p50 ms', p99: 'p99 ms', cpu: 'server CPU µs each' }
const PARTS = { writes: 'Writes', reads: 'Reads', following: 'Following', starting: 'Starting', ablation: 'Ablation' }
const titleOf = (figure) => TITLES[figure] ?? figure
const aimsOf = ({ name, rounds }) => judged(WORKLOADS.find((workload) => workload.name === name)?.aims ?? [], rounds)
const verdict = (isMet) => (isMet === null ? '' : isMet ? 'reached' : '**not reached**')

/** The title of a result. Workloads without a registry have the size 0. */
export const named = ({ name, size }) => `${name}${size === 0 ? '' : `; ${size.toLocaleString('en')} entries`}`

/** Prints one workload: its table and its aims. */
export function printed(result) {
  const { rounds, failed, systems } = result
  const title = named(result)
  const aims = aimsOf(result).filter(({ aim }) => aim !== null)
  const left = systems.filter((system) => rounds[0]?.[system] === undefined && rounds.length > 0)
  return [
    `### ${title[0].toUpperCase()}${title.slice(1)}`,
    '',
    ...(failed === undefined ? [] : [`Failed: ${failed}`, '']),
    ...(rounds.length === 0 ? [] : [measuredTable(rounds), '']),
    ...(left.length === 0 ? [] : [`Not measured here: ${left.join(', ')}.`, '']),
    ...aims.map(
      ({ figure, of, over, value, aim, isMet }) =>
        `- ${titleOf(figure)}: ${of}${over.length === 0 ? '' : ` / ${over.length > 1 ? 'the better of ' : ''}${over.map((each) => each.name).join(' and ')}`} = **${rounded(value)}**, aim ${aim}: ${verdict(isMet)}`,
    ),
    ...(aims.length > 0 ? [''] : []),
  ].join('\n')
}

/** Prints the medians of each system's figures. */
function measuredTable(rounds) {
  const systems = Object.keys(rounds[0])
  const figures = [...new Set(systems.flatMap((system) => Object.keys(rounds[0][system])))]
  const rows = systems.map((system) => [
    system,
    ...figures.map((figure) => {
      // A figure that this machine cannot measure (NaN) is stored as null.
      const values = rounds.map((round) => round[system][figure]).filter((value) => Number.isFinite(value))
      return values.length === 0 ? '' : rounded(median(values))
    }),
  ])
  return table(['', ...figures.map(titleOf)], rows)
}

/** Prints every workload in every size: our figure, the others, the ratio, the aim and whether it is reached. */
function summary(results) {
  const rows = results.flatMap((result) => {
    const { failed } = result
    const what = named(result)
    if (failed !== undefined) return [[what, '', '', '', '', '', `failed: ${failed.replaceAll('|', '/')}`]]
    return aimsOf(result).map(({ figure, of, ours, over, value, aim, isMet }) => [
      what,
      `${titleOf(figure)}${of === 'cadastre' ? '' : ` (${of})`}`,
      rounded(ours),
      over.map((each) => `${each.name} ${rounded(each.value)}`).join(', '),
      over.length === 0 ? '' : rounded(value),
      aim ?? '',
      verdict(isMet),
    ])
  })
  return table(['workload', 'figure', 'ours', 'compared with', 'ratio', 'aim', ''], rows)
}

/** Writes RESULTS.md from all stored results, in the order of the workloads. */
export function writeResults(measured, { postgres, without }) {
  const place = ({ name }) => WORKLOADS.findIndex((workload) => workload.name === name)
  const results = measured.filter((result) => place(result) >= 0).sort((a, b) => place(a) - place(b) || a.size - b.size)
  const commands = [...new Set(results.map(({ command, date }) => `\`${command}\` (${date})`))]
  const rounds = [
    ...new Set(results.filter(({ failed }) => failed === undefined).map((result) => result.rounds.length)),
  ].sort()
  const seconds = [...new Set(results.map(({ ms }) => ms / 1_000))].sort()
  const [cpu] = cpus()
  const machine = `${cpus().length} cores (${cpu.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.versions.node}, Postgres ${postgres}${'etcd' in without ? '' : `, etcd ${versionOfEtcd()}`}`
  const systems = [...new Set(results.flatMap((result) => result.systems))].filter(
    (name) => SYSTEMS[name] !== undefined,
  )
  const bounds = file('BOUNDS.md')
  writeFileSync(
    file('RESULTS.md'),
    [
      '# Benchmark results',
      '',
      `Measured by ${commands.join(', ')} on ${machine}.`,
      '',
      `Medians of ${rounds.join(' or ')} rounds, in which the systems alternate. Loads run for ${seconds.join(' or ')} s after a warm-up. A ratio is the median of the`,
      'ratios of each round. Compare ratios, because the servers, the client program and everything else on the machine share its cores.',
      '[README.md](README.md) describes how each is measured, and what the figures do not show.',
      '',
      ...Object.entries(without).flatMap(([name, why]) => [`Left out: ${name}. ${why}.`, '']),
      '## Summary',
      '',
      summary(results),
      '',
      '## The systems',
      '',
      table(
        ['system', 'description'],
        systems.map((name) => [name, SYSTEMS[name].what]),
      ),
      '',
      ...(existsSync(bounds) ? [readFileSync(bounds, 'utf8').trimEnd(), ''] : []),
      ...Object.entries(PARTS).flatMap(([part, title]) => {
        const of = results.filter((result) => result.part === part)
        return of.length === 0 ? [] : [`## ${title}`, '', ...of.map(printed)]
      }),
    ].join('\n'),
  )
  console.error('Wrote test/bench/RESULTS.md')
}

function table(head, rows) {
  return [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')
}

const rounded = (value) =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value >= 10 ? value.toFixed(1) : value.toFixed(2)
