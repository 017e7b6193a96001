import type { CommandContext, CommandResult } from '../answers/command-context.js'
import { writeJson } from '../answers/command-context.js'
import { changesOf, countChanges, countsText, renderChange } from '../answers/render-changes.js'
import {
  allSources,
  type ListedFailure,
  type ListedSource,
  reloadSource,
  type SourceReload,
  sourceStatus,
} from '../gateway/source-queries.js'
import { usageFailure } from '../terminal/command-failure.js'
import { printable } from '../terminal/printable.js'
import { startProgress } from '../terminal/progress.js'
import { renderTable } from '../terminal/render-table.js'
import type { Terminal } from '../terminal/terminal.js'

export type SourceAction = 'list' | 'reload' | 'plan'

/** How often the progress of a reload is queried. */
const PROGRESS_MS = 1_000
/** @bound Failures that `source reload` lists for a source. */
const LISTED_FAILURES = 10

export interface SourceCommandOptions {
  readonly allowEmpty: boolean
}

/** Lists the sources, reloads one, or shows what a reload would change. */
export async function sourceCommand(
  context: CommandContext,
  action: SourceAction,
  name: string | undefined,
  { allowEmpty }: SourceCommandOptions,
): CommandResult {
  if (action === 'list') {
    if (name !== undefined) throw usageFailure('source list takes no name, because it lists all sources')
    return list(context)
  }
  if (name === undefined)
    throw usageFailure(`source ${action} needs the name of a source. Run \`cadastre source list\` to see the names`)
  return action === 'reload' ? reload(context, name, allowEmpty) : plan(context, name, allowEmpty)
}

async function list(context: CommandContext): CommandResult {
  const sources = await allSources(context.client())
  const { terminal } = context
  if (context.json) await writeJson(context, sources)
  else if (sources.length === 0) await terminal.write('No source is configured.\n')
  else {
    await terminal.write(
      renderTable(['NAME', 'PROVIDER', 'STATUS', 'LOADED', 'FAILED', 'LAST RELOAD'], sources.map(row), terminal.colors),
    )
    for (const { failures } of sources) noteFailures(failures.slice(0, LISTED_FAILURES), terminal)
  }
  return 0
}

function row({ name, provider, status, loaded, failed, lastReload }: ListedSource): string[] {
  return [name, provider, status, String(loaded), String(failed), lastReload ?? '-']
}

async function reload(context: CommandContext, name: string, allowEmpty: boolean): CommandResult {
  const report = await reloadWithProgress(context, name, false, allowEmpty)
  const {
    created,
    updated,
    deleted,
    version,
    source: { status, loaded, failed },
  } = report
  if (context.json)
    await writeJson(context, {
      created,
      updated,
      deleted,
      version: version?.number ?? null,
      status,
      loaded,
      failed,
      failures: report.failures,
    })
  else {
    noteFailures(report.failures, context.terminal)
    const done =
      version === null
        ? 'Nothing to change'
        : `Version ${version.number}: ${created} created, ${updated} updated, ${deleted} deleted`
    await context.terminal.write(`${done}; ${loaded} loaded, ${failed} failed.\n`)
  }
  return report.failures.length > 0 ? 1 : 0
}

async function plan(context: CommandContext, name: string, allowEmpty: boolean): CommandResult {
  const { delta, failures } = await reloadWithProgress(context, name, true, allowEmpty)
  const changes = changesOf(delta!)
  const { created, updated, deleted, truncated } = delta!
  const counts = truncated ? { create: created, update: updated, delete: deleted, replace: 0 } : countChanges(changes)
  const { terminal } = context
  if (context.json) await writeJson(context, { ...delta, failures })
  else {
    noteFailures(failures, terminal)
    for (const change of changes) await terminal.write(`${renderChange(change, terminal.colors)}\n\n`)
    if (truncated) await terminal.write(`Only the first ${delta!.operations.length} operations are shown.\n\n`)
    await terminal.write(changes.length === 0 ? 'Nothing to change.\n' : `Plan: ${countsText(counts, 'planned')}.\n`)
  }
  return failures.length > 0 ? 1 : 0
}

/** Reloads, and shows the progress while it takes longer than a second. */
async function reloadWithProgress(
  { client, terminal }: CommandContext,
  name: string,
  dryRun: boolean,
  allowEmpty: boolean,
): Promise<SourceReload> {
  const progress = startProgress(terminal, `loading ${name}`)
  const timer = setInterval(() => {
    // A failed progress query does not matter, only the outcome of the reload does.
    sourceStatus(client(), name).then(
      (source) => {
        if (source?.status === 'LOADING') progress.update(source.loaded, null)
      },
      () => {},
    )
  }, PROGRESS_MS)
  try {
    return await reloadSource(client(), name, dryRun, allowEmpty)
  } finally {
    clearInterval(timer)
    progress.stop()
  }
}

function noteFailures(failures: readonly ListedFailure[], { note, colors }: Terminal): void {
  for (const { location, line, entryId, message } of failures) {
    const place = line === null ? location : `${location}:${line}`
    note(
      `${colors.red('error')} ${printable(place)}: ${entryId === null ? '' : `${printable(entryId)}: `}${printable(message)}`,
    )
  }
}
