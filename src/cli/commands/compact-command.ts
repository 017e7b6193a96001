import type { CommandContext, CommandResult } from '../answers/command-context.js'
import { writeJson } from '../answers/command-context.js'
import { compactBefore } from '../gateway/gateway-queries.js'
import { parseRevision } from '../input/parse-at.js'

export interface CompactCommandOptions {
  readonly dryRun: boolean
}

/** Compacts the history before a revision into its baseline. */
export async function compactCommand(
  context: CommandContext,
  revision: string,
  { dryRun }: CompactCommandOptions,
): CommandResult {
  const before = parseRevision(revision)
  const { oldestRevision, versions, changes } = await compactBefore(context.client(), before, dryRun)
  if (context.json) {
    await writeJson(context, { oldestRevision, versions, changes, dryRun })
    return 0
  }
  const removed = `${versions} ${versions === 1 ? 'version' : 'versions'} and ${changes} ${changes === 1 ? 'change' : 'changes'}`
  const line =
    oldestRevision >= before && versions === 0 && changes === 0
      ? `Nothing to compact before r${before}: the oldest revision is r${oldestRevision}.`
      : dryRun
        ? `Dry run, nothing was changed: compacting before r${before} would remove ${removed}.`
        : `Compacted ${removed}: the oldest revision is r${oldestRevision}.`
  await context.terminal.write(`${line}\n`)
  return 0
}
