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
  orderBy: t.field({ type: EntryOrderRef, description: 'ID_ASC unless given.' }),
}))

export interface EntriesArgs extends PageArgs, CriteriaArgs {
  readonly orderBy?: EntryOrder | null | undefined
}

/** A page of matching entries. `list` names the list for its cursors. */
export function entriesPage(
  list: string,
  args: EntriesArgs,
  at: ReadAt,
  context: RequestContext,
): Promise<EntryListPage<EntryRevision>> {
  return readPage(list, criteriaFrom(args) ?? EVERYTHING, args, at, context)
}

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
      throw invalidCursor('it is from a revision yet to come')
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
      'Entries at the head. From page to page an entry that stays is never skipped and never repeated; ' +
      '`revision` says when each page was read. For pages of one state go through `snapshot`.',
    args: { ...criteriaArgs, ...orderArgs, ...pageArgs },
    resolve: (_root, args, context) => entriesPage('entries', args, 'head', context),
  }),
)
