import { randomUUID } from 'node:crypto'
import type { SourceEntry } from '../../sources/forms/parse-entries.js'
import { appliedJson, noteWarnings } from '../answers/applied-json.js'
import type { CommandContext, CommandResult } from '../answers/command-context.js'
import { writeJson } from '../answers/command-context.js'
import { refusedFailure } from '../answers/refused-failure.js'
import { changeHeading, countChanges, countsText } from '../answers/render-changes.js'
import type { PlannedChange } from '../folder/plan-folder.js'
import { isReplacement } from '../folder/plan-folder.js'
import type { OperationArgument } from '../gateway/gateway-queries.js'
import { applyChangeset } from '../gateway/gateway-queries.js'
import {
  comparePath,
  comparisonJson,
  faultyFiles,
  nothingToChange,
  type PlanCommandOptions,
  readPath,
  shownChange,
} from './plan-command.js'

export interface ApplyCommandOptions extends PlanCommandOptions {
  readonly dryRun: boolean
  readonly message?: string
}

/** Applies the state of a folder as one changeset, fenced by the revision that it was compared with. */
export async function applyCommand(context: CommandContext, path: string, options: ApplyCommandOptions): CommandResult {
  const { terminal, json } = context
  const folder = await readPath(context, path)
  if (folder.failures.length > 0 && !options.keepGoing) throw faultyFiles(folder)
  const plan = await comparePath(context, folder, options, false)
  const exitCode = folder.failures.length > 0 ? 1 : 0
  const comparison = comparisonJson(folder, plan)
  if (plan.changes.length === 0) {
    if (json) await writeJson(context, { applied: null, ...comparison })
    else await terminal.write(`${nothingToChange(plan)}\n`)
    return exitCode
  }

  const sent = plan.changes.flatMap((change) => operationsOf(change).map((operation) => ({ operation, change })))
  const answer = await applyChangeset(context.client(), {
    operations: sent.map(({ operation }) => operation),
    base: plan.revision,
    message: options.message ?? null,
    dryRun: options.dryRun,
    idempotencyKey: randomUUID(),
  })
  if (answer.__typename === 'Refused') {
    throw refusedFailure(answer, ({ operation }) => {
      const wanted = operation === null ? undefined : sent[operation]?.change.wanted
      return wanted ? `${wanted.file}:${wanted.line}` : undefined
    })
  }

  if (json) {
    await writeJson(context, { applied: appliedJson(answer), ...comparison })
    return exitCode
  }
  const { version, transition, dryRun } = answer
  const shown = plan.changes.map(shownChange)
  await terminal.write(shown.map((change) => `${changeHeading(change, terminal.colors)}\n`).join(''))
  const counts = countsText(countChanges(shown), dryRun ? 'planned' : 'done')
  const outcome = dryRun
    ? 'Dry run, nothing was changed'
    : `Version ${version.number} (revision ${transition?.revision})`
  await terminal.write(`${outcome}: ${counts}, ${plan.unchanged} unchanged.\n`)
  noteWarnings(context, answer)
  return exitCode
}

function operationsOf(change: PlannedChange): OperationArgument[] {
  const { id, wanted, stored } = change
  if (wanted === null) return [{ delete: { id } }]
  if (stored === null) return [{ create: inputOf(wanted) }]
  return isReplacement(change) ? [{ delete: { id } }, { create: inputOf(wanted) }] : [{ update: inputOf(wanted) }]
}

function inputOf({ id, content }: SourceEntry): NonNullable<OperationArgument['create']> {
  return { id, kind: content.kind, meta: content.meta, data: content.data }
}
