import type { RegistryError } from '../../core/errors/registry-error.js'
import type { Change } from '../../core/history/change.js'
import { inSlices } from '../../store/coalescing/time-slices.js'
import type { HistoryReader, Page, PageOf } from '../../store/contract/history-reader.js'
import { compactedError, historyMissingError } from '../../store/planning/compacted-errors.js'
import type { RequestContext } from '../base/request-context.js'
import { type Connection, connectionOf } from '../relay/connection.js'
import { numberCursors } from '../relay/cursor-codec.js'
import { type PageArgs, pageFrom } from '../relay/page-args.js'

/** Reads a page of the changes of one revision. @param list - The name of the list in its cursors */
export async function changesPage(
  list: string,
  revision: number,
  args: PageArgs,
  totalCount: () => Promise<number> | number,
  { registry, loaders, signal }: RequestContext,
): Promise<Connection<Change>> {
  const cursors = numberCursors(registry.history.registryId, `${list} ${revision}`)
  const page = pageFrom(args, cursors)
  const made = loaders().madeChanges.get(revision)
  const found =
    made === undefined
      ? await loaders().changes.load({ of: revision, page })
      : pageOfMade(await inSlices(made(), signal), page)
  if (found === null) throw await missingChangesError(revision, registry.history)
  return connectionOf(page, found, cursors, ({ position }) => position, totalCount)
}

/** A forward page. The positions of changes are their indexes. */
function pageOfMade(changes: readonly Change[], { after, limit }: Page<number>): PageOf<Change> {
  const start = after === null ? 0 : after + 1
  return { items: changes.slice(start, start + limit), hasMore: changes.length > start + limit }
}

/** Returns the error of changes that the store no longer has. Without history it has those of the latest revisions only. */
export async function missingChangesError(revision: number, history: HistoryReader): Promise<RegistryError> {
  const oldest = await history.oldestRevision()
  return history.hasHistory
    ? compactedError(revision, oldest)
    : historyMissingError(`The changes of revision ${revision} cannot be read`, oldest)
}
