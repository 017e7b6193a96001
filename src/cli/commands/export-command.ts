import type { FileHandle } from 'node:fs/promises'
import { mkdir, open, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { namespaceOf } from '../../core/entry/entry-id.js'
import type { CommandContext, CommandResult } from '../answers/command-context.js'
import { writeJson } from '../answers/command-context.js'
import type { ExportForm } from '../folder/export-forms.js'
import { EXPORT_FORMS } from '../folder/export-forms.js'
import { namespaceFolder } from '../folder/namespace-folder.js'
import type { SnapshotPlace, StoredEntry } from '../gateway/gateway-queries.js'
import { snapshotEntries, snapshotPlace } from '../gateway/gateway-queries.js'
import { parseAt } from '../input/parse-at.js'
import { CommandFailure, EXIT } from '../terminal/command-failure.js'
import { startProgress } from '../terminal/progress.js'

export interface ExportCommandOptions {
  readonly at: string
  readonly form: ExportForm
  readonly overwrite: boolean
}

/** Writes all entries of one state: one line per entry to standard output, or one file per namespace. */
export async function exportCommand(
  context: CommandContext,
  target: string,
  options: ExportCommandOptions,
): CommandResult {
  const client = context.client()
  const place = await snapshotPlace(client, parseAt(options.at))
  const pages = snapshotEntries(client, { revision: place.revision, withContent: true })
  if (target === '-') {
    for await (const page of pages) await context.terminal.write(page.map(EXPORT_FORMS.entry.entry).join(''))
    return 0
  }
  const namespaces = await exportFolder(context, target, options, place, pages)
  const { revision, version, entryCount } = place
  if (context.json) {
    await writeJson(context, { folder: target, revision, version: version.number, entries: entryCount, namespaces })
  } else {
    await context.terminal.write(
      `${entryCount} entries in ${namespaces} namespaces of revision ${revision} written to ${target}\n`,
    )
  }
  return 0
}

async function exportFolder(
  { terminal }: CommandContext,
  target: string,
  { form, overwrite }: ExportCommandOptions,
  place: SnapshotPlace,
  pages: AsyncIterable<readonly StoredEntry[]>,
): Promise<number> {
  await makeEmptyFolder(target, overwrite)
  const { fileName, heading, entry: written } = EXPORT_FORMS[form]
  const progress = startProgress(terminal, 'exporting')
  let namespaces = 0
  let done = 0
  let current: { namespace: string; file: FileHandle } | undefined
  try {
    // Entries arrive ordered by namespace, so one file is open at a time and no namespace has to fit in memory.
    for await (const page of pages) {
      let text = ''
      for (const entry of page) {
        const namespace = namespaceOf(entry.entryId)
        if (current?.namespace !== namespace) {
          await current?.file.write(text)
          await current?.file.close()
          const path = join(target, namespaceFolder(namespace), fileName)
          await mkdir(dirname(path), { recursive: true })
          current = { namespace, file: await open(path, 'w') }
          namespaces++
          text = heading(namespace)
        }
        text += written(entry)
      }
      await current?.file.write(text)
      progress.update((done += page.length), place.entryCount)
    }
    return namespaces
  } finally {
    progress.stop()
    await current?.file.close()
  }
}

/** Refuses a folder with other files, because the next `apply` would read them as part of the registry. */
async function makeEmptyFolder(target: string, overwrite: boolean): Promise<void> {
  await mkdir(target, { recursive: true })
  if (overwrite || (await readdir(target)).length === 0) return
  const advice = 'export to a new folder, or add --overwrite'
  throw new CommandFailure(EXIT.refused, `${target} is not empty: ${advice}`, 'NOT_EMPTY')
}
