import type { Change } from '../core/change.js'
import { compacted } from '../store/compacted.js'
import { connectionOf, type Connection } from './connection.js'
import type { RequestContext } from './context.js'
import { numberCursors } from './cursor.js'
import { pageFrom, type PageArgs } from './page-args.js'

/** A page of what one revision changed. `list` names the list for its cursors. */
export async function changesPage(
  list: string,
  revision: number,
  args: PageArgs,
  totalCount: () => Promise<number> | number,
  { registry, loaders }: RequestContext,
): Promise<Connection<Change>> {
  const cursors = numberCursors(registry.history.registryId, `${list} ${revision}`)
  const page = pageFrom(args, cursors)
  const found = await loaders().changes.load({ of: revision, page })
  if (found === null) throw compacted(revision, await loaders().oldestRevision())
  return connectionOf(page, found, cursors, ({ position }) => position, totalCount)
}
