// Results as Markdown: a table for each workload, and what was aimed for beside what came of it.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { median } from './statistics.mjs'
import { SYSTEMS, versionOfEtcd } from './systems.mjs'

const file = (name) => fileURLToPath(new URL(name, import.meta.url))
const TITLES = { perSecond: 'a second', p50: 'p50 ms', p99: 'p99 ms', cpu: 'server CPU µs each', ms: 'ms' }
const WORDS = { writes: 'Writes', reads: 'Reads', following: 'Following' }

/** One workload's table and aims. */
export function printed({ workload, size, systems, rounds, aims }) {
  const shown = systems.length > 0 ? Object.keys(rounds[0]) : []
  const figures = [...new Set(shown.flatMap((system) => Object.keys(rounds[0][system])))]
  const rows = shown.map((system) => [system, ...figures.map((figure) => {
    const values = rounds.map((round) => round[system][figure]).filter((value) => value !== undefined && !Number.isNaN(value))
    return values.length === 0 ? '' : rounded(median(values))
  })])
  return [
    `### ${workload.name[0].toUpperCase()}${workload.name.slice(1)}; ${size.toLocaleString('en')} entries`, '',
    table(['', ...figures.map((figure) => TITLES[figure] ?? figure)], rows), '',
    ...aims.flatMap((aim) => [`- ${told(aim)}`]), '',
  ].join('\n')
}

const told = ({ figure, of, over, least, most, ratio, isMet }) => (
  `${TITLES[figure] ?? figure}: ${of} / ${over.length > 1 ? `the better of ${over.join(' and ')}` : over[0]} = **${ratio.toFixed(2)}**, aim ${least === undefined ? `at most ${most}` : `at least ${least}`}: ${isMet ? 'met' : '**not met**'}`
)

export function writeResults({ results, postgres, options, command, without }) {
  const [cpu] = cpus()
  const machine = `${cpus().length} cores (${cpu.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.versions.node}, Postgres ${postgres}${'etcd' in without ? '' : `, etcd ${versionOfEtcd()}`}`
  const parts = [...new Set(results.map(({ workload }) => workload.part))]
  writeFileSync(file('RESULTS.md'), [
    '# What the bench gave', '',
    `\`${command}\`, ${new Date().toISOString().slice(0, 10)}: ${machine}.`, '',
    `Medians of ${options.rounds} rounds, in which the systems take turns; loads of ${options.ms / 1_000} s after ${options.warmUpMs / 1_000} s. Ratios are the median of`,
    'each round\'s: compare those, since the two cores are shared between servers, the one client program that asks them all, and whatever else the machine does.', '',
    ...Object.values(without).map((why) => `Left out: ${why}.\n`),
    table(['system', 'what it is'], [...new Set(results.flatMap(({ systems }) => systems))].map((name) => [name, SYSTEMS[name].what])), '',
    ...parts.flatMap((part) => [`## ${WORDS[part]}`, '', ...results.filter(({ workload }) => workload.part === part).map(printed)]),
    ...(existsSync(file('BOUNDS.md')) ? [readFileSync(file('BOUNDS.md'), 'utf8')] : []),
  ].join('\n'))
}

function table(head, rows) {
  return [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

const rounded = (value) => (value >= 100 ? Math.round(value).toLocaleString('en') : value >= 10 ? value.toFixed(1) : value.toFixed(2))
