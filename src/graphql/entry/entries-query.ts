import { type Criteria, EVERYTHING } from '../../core/criteria/criteria.js'
import type { EntryRevision } from '../../core/entry/entry.js'
import type { EntryOrder, ReadAt } from '../../store/contract/history-reader.js'
import { builder } from '../base/builder.js'
import type { RequestContext } from '../base/request-context.js'
import { connectionOf, type EntryListPage } from '../relay/connection.js'
import { entryCursors, invalidCursor } from '../relay/cursor-codec.js'
import { type PageArgs, pageArgs, pageFrom } from '../relay/page-args.js'
import { type CriteriaArgs, criteriaArgs, criteriaFrom } from './entry-filter-input.js'
import { EntryOrderRef } from './entry-order-enum.js'
import { EntryConnection } from './entry-type.js'

export const orderArgs = builder.args((t) => ({
  orderBy: t.field({ type: EntryOrderRef, description: 'The order of the entries. ID_ASC by default.' }),
}))

export interface EntriesArgs extends PageArgs, CriteriaArgs {
  readonly orderBy?: EntryOrder | null | undefined
}

/** Reads a page of matching entries. @param list - The name of the list in its cursors */
export function entriesPage(
  list: string,
  args: EntriesArgs,
  at: ReadAt,
  context: RequestContext,
): Promise<EntryListPage<EntryRevision>> {
  return readPage(list, criteriaFrom(args) ?? EVERYTHING, args, at, context)
}

/** Like `entriesPage`, with criteria that are already parsed. */
export async function readPage(
  list: string,
  criteria: Criteria,
  args: PageArgs & Pick<EntriesArgs, 'orderBy'>,
  at: ReadAt,
  { registry }: RequestContext,
): Promise<EntryListPage<EntryRevision>> {
  const order = args.orderBy ?? 'ID_ASC'
  const cursors = entryCursors(registry.history.registryId, list, order)
  const page = pageFrom(args, cursors)
  const found = await registry.findEntries(criteria, order, page, at)
  for (const place of [page.after, page.before]) {
    if (at === 'head' && place !== null && place.revision > found.revision) {
      throw invalidCursor('it belongs to a revision that does not exist yet')
    }
  }
  const totalCount = () => registry.countEntries(criteria, at)
  const connection = connectionOf(page, found, cursors, ({ id, revision }) => ({ id, revision }), totalCount)
  return { ...connection, revision: found.revision }
}

builder.queryField('entries', (t) =>
  t.field({
    type: EntryConnection,
    description:
      'The entries at the head that match the criteria. If entries change between two pages, the others are neither skipped nor ' +
      'repeated. To read all pages from the same state, use `snapshot`.',
    args: { ...criteriaArgs, ...orderArgs, ...pageArgs },
    resolve: (_root, args, context) => entriesPage('entries', args, 'head', context),
  }),
)
