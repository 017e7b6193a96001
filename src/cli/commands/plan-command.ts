import { failureText } from '../../sources/forms/parse-entries.js'
import type { FolderReading } from '../../sources/provider/read-folder.js'
import type { CommandContext, CommandResult } from '../answers/command-context.js'
import { writeJson } from '../answers/command-context.js'
import type { ShownChange } from '../answers/render-changes.js'
import { changeWord, countChanges, countsText, renderChange } from '../answers/render-changes.js'
import type { FolderPlan, PlannedChange } from '../folder/plan-folder.js'
import { planFolder } from '../folder/plan-folder.js'
import { readDefinitions } from '../folder/read-definitions.js'
import { startProgress } from '../terminal/progress.js'
import type { Terminal } from '../terminal/terminal.js'

export interface PlanCommandOptions {
  readonly prune: boolean
  readonly allowEmpty: boolean
}

/** Shows the changes that `apply` would make. */
export async function planCommand(context: CommandContext, path: string, options: PlanCommandOptions): CommandResult {
  const { terminal, json } = context
  const { folder, plan: planned } = await planPath(context, path, options, true)
  const shown = planned.changes.map(shownChange)
  if (json) {
    await writeJson(context, {
      revision: planned.revision,
      unchanged: planned.unchanged,
      changes: shown.map((change) => ({ action: changeWord(change), ...change })),
      failures: folder.failures,
    })
  } else if (shown.length === 0) {
    await terminal.write(`${nothingToChange(planned)}\n`)
  } else {
    for (const change of shown) await terminal.write(`${renderChange(change, terminal.colors)}\n\n`)
    const counts = countsText(countChanges(shown), 'planned')
    await terminal.write(`Plan: ${counts}, ${planned.unchanged} unchanged (against revision ${planned.revision}).\n`)
  }
  return folder.failures.length > 0 ? 1 : 0
}

/** Reads a folder, compares it with the registry, and prints the failures of reading. */
export async function planPath(
  { terminal, client, json }: CommandContext,
  path: string,
  { prune, allowEmpty }: PlanCommandOptions,
  withContent: boolean,
): Promise<{ folder: FolderReading; plan: FolderPlan }> {
  const folder = await readDefinitions(path, terminal)
  if (!json) noteFailures(folder, terminal)
  if (folder.entries.size === 0 && folder.failures.length === 0)
    terminal.note(terminal.colors.yellow(`${path} defines no entries`))
  const progress = startProgress(terminal, 'comparing')
  try {
    const planned = await planFolder(client(), folder, { prune, allowEmpty, withContent, progress: progress.update })
    if (planned.pruneRefused !== null) terminal.note(terminal.colors.yellow(planned.pruneRefused))
    return { folder, plan: planned }
  } finally {
    progress.stop()
  }
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
