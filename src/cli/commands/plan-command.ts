import { failureText } from '../../sources/forms/parse-entries.js'
import type { FolderReading } from '../../sources/provider/read-folder.js'
import type { CommandContext, CommandResult } from '../answers/command-context.js'
import { writeJson } from '../answers/command-context.js'
import type { ShownChange } from '../answers/render-changes.js'
import { changeWord, countChanges, countsText, renderChange } from '../answers/render-changes.js'
import type { FolderPlan, PlannedChange, RetainedEntry } from '../folder/plan-folder.js'
import { planFolder } from '../folder/plan-folder.js'
import { readDefinitions } from '../folder/read-definitions.js'
import { CommandFailure, EXIT } from '../terminal/command-failure.js'
import { printable } from '../terminal/printable.js'
import { startProgress } from '../terminal/progress.js'
import type { Terminal } from '../terminal/terminal.js'

export interface PlanCommandOptions {
  readonly prune: boolean
  readonly allowEmpty: boolean
  readonly includingOwned: boolean
  readonly keepGoing: boolean
}

/** Shows the changes that `apply` would make. */
export async function planCommand(context: CommandContext, path: string, options: PlanCommandOptions): CommandResult {
  const { terminal, json } = context
  const folder = await readPath(context, path)
  const planned = await comparePath(context, folder, options, true)
  const shown = planned.changes.map(shownChange)
  if (json) {
    await writeJson(context, {
      changes: shown.map((change) => ({ action: changeWord(change), ...change })),
      ...comparisonJson(folder, planned),
    })
  } else if (shown.length === 0) {
    await terminal.write(`${nothingToChange(planned)}\n`)
  } else {
    for (const change of shown) await terminal.write(`${renderChange(change, terminal.colors)}\n\n`)
    const counts = countsText(countChanges(shown), 'planned')
    await terminal.write(`Plan: ${counts}, ${planned.unchanged} unchanged (against revision ${planned.revision}).\n`)
  }
  if (folder.failures.length === 0) return 0
  if (!json && !options.keepGoing)
    terminal.note(terminal.colors.yellow(`apply would change nothing: ${advice(folder)}`))
  return 1
}

/** Reads a folder and prints the failures of reading. */
export async function readPath({ terminal, json }: CommandContext, path: string): Promise<FolderReading> {
  const folder = await readDefinitions(path, terminal)
  if (!json) noteFailures(folder, terminal)
  if (folder.entries.size === 0 && folder.failures.length === 0)
    terminal.note(terminal.colors.yellow(`${path} defines no entries`))
  return folder
}

/** The failure of `apply` for a folder with faulty files: the others might be half of a change. */
export function faultyFiles(folder: FolderReading): CommandFailure {
  return new CommandFailure(EXIT.refused, `Nothing was changed: ${advice(folder)}`, 'INVALID_FILES', {
    failures: folder.failures,
  })
}

function advice({ failures: { length } }: FolderReading): string {
  const faults =
    length === 1 ? 'a definition cannot be used. Correct it' : `${length} definitions cannot be used. Correct them`
  return `${faults}, or add --keep-going to apply the others`
}

/** Compares a folder with the registry, and prints what `--prune` leaves. */
export async function comparePath(
  { terminal, client, json }: CommandContext,
  folder: FolderReading,
  options: PlanCommandOptions,
  withContent: boolean,
): Promise<FolderPlan> {
  const progress = startProgress(terminal, 'comparing')
  try {
    const planned = await planFolder(client(), folder, { ...options, withContent, progress: progress.update })
    const note = (text: string) => terminal.note(terminal.colors.yellow(text))
    if (planned.pruneRefused !== null) note(planned.pruneRefused)
    if (planned.retained.length > 0 && !json) note(retainedText(planned.retained))
    return planned
  } finally {
    progress.stop()
  }
}

/** For example `3 entries stay, because sources own them: app (2), pages (1). Add --including-owned to delete them too`. */
function retainedText(retained: readonly RetainedEntry[]): string {
  const counts = new Map<string, number>()
  for (const { source } of retained) counts.set(source, (counts.get(source) ?? 0) + 1)
  const sources = [...counts].map(([name, count]) => `${printable(name)} (${count})`).join(', ')
  const [stay, them] = retained.length === 1 ? ['1 entry stays', 'it'] : [`${retained.length} entries stay`, 'them']
  return `${stay}, because sources own ${them}: ${sources}. Add --including-owned to delete ${them} too`
}

/** The part that `plan --json` and `apply --json` have in common. */
export function comparisonJson({ failures }: FolderReading, { unchanged, revision, retained }: FolderPlan) {
  return { unchanged, revision, retained, failures }
}

export function nothingToChange({ unchanged, revision }: FolderPlan): string {
  const entries = unchanged === 1 ? '1 entry is unchanged' : `${unchanged} entries are unchanged`
  return `Nothing to change: ${entries} (revision ${revision}).`
}

function noteFailures({ failures }: FolderReading, { note, colors }: Terminal): void {
  for (const failure of failures) note(`${colors.red('error')} ${failureText(failure)}`)
}

export function shownChange({ id, wanted, stored }: PlannedChange): ShownChange {
  return {
    entryId: id,
    before: stored === null ? null : { kind: stored.kind, meta: stored.meta ?? {}, data: stored.data ?? null },
    after: wanted === null ? null : { kind: wanted.content.kind, meta: wanted.content.meta, data: wanted.content.data },
    ...(wanted === null ? {} : { origin: `${wanted.file}:${wanted.line}` }),
  }
}
