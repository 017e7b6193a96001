import { statSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { open, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { namespaceOf } from '../../core/entry/entry-id.js'
import { createFolder } from '../../store/embedded/create-folder.js'
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
import { systemFailure } from '../terminal/system-failure.js'

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
  let path = target
  try {
    // Entries arrive ordered by namespace, so one file is open at a time and no namespace has to fit in memory.
    for await (const page of pages) {
      let text = ''
      for (const entry of page) {
        const namespace = namespaceOf(entry.entryId)
        if (current?.namespace !== namespace) {
          // Unlike `write`, `writeFile` goes on after a disk that is nearly full has accepted part of the text.
          await current?.file.writeFile(text)
          await current?.file.close()
          current = undefined
          path = join(target, namespaceFolder(namespace), fileName)
          createFolder(dirname(path))
          current = { namespace, file: await open(path, 'w') }
          namespaces++
          text = heading(namespace)
        }
        text += written(entry)
      }
      await current?.file.writeFile(text)
      progress.update((done += page.length), place.entryCount)
    }
    return namespaces
  } catch (error) {
    throw systemFailure(`${path} cannot be written`, error)
  } finally {
    progress.stop()
    await current?.file.close().catch(() => {})
  }
}

/** Refuses a folder with other files, because the next `apply` would read them as part of the registry. */
async function makeEmptyFolder(target: string, overwrite: boolean): Promise<void> {
  const advice = 'Export to a new folder'
  let names: readonly string[]
  try {
    if (statSync(target, { throwIfNoEntry: false })?.isDirectory() === false) {
      const instead = 'or redirect the JSON lines: cadastre export > FILE'
      throw new CommandFailure(EXIT.refused, `${target} is not a folder. ${advice}, ${instead}`, 'NOT_A_FOLDER')
    }
    createFolder(target)
    names = await readdir(target)
  } catch (error) {
    throw systemFailure(`${target} cannot be written`, error)
  }
  if (!overwrite && names.length > 0)
    throw new CommandFailure(EXIT.refused, `${target} is not empty. ${advice}, or add --overwrite`, 'NOT_EMPTY')
}
