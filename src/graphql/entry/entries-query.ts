import { type Criteria, EVERYTHING } from '../../core/criteria/criteria.js'
import type { EntryRevision } from '../../core/entry/entry.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import type { Registry } from '../../registry/registry.js'
import type { EntryOrder, EntryPosition, Page, ReadAt } from '../../store/contract/history-reader.js'
import { builder } from '../base/builder.js'
import type { RequestContext } from '../base/request-context.js'
import { connectionOf, type EntryListPage } from '../relay/connection.js'
import { type EntryCursor, entryCursors, invalidCursor } from '../relay/cursor-codec.js'
import { type PageArgs, pageArgs, pageFrom } from '../relay/page-args.js'
import { type CriteriaArgs, criteriaArgs, criteriaFrom } from './entry-filter-input.js'
import { EntryOrderRef } from './entry-order-enum.js'
import { EntryConnection } from './entry-type.js'

export const orderArgs = builder.args((t) => ({
  orderBy: t.field({ type: EntryOrderRef, description: 'The order of the entries. ID_ASC by default.' }),
}))

/**
 * Whether an order's pages stay at the revision of the first one. An entry that is changed between two pages moves within
 * an order by revision, so it would be skipped or repeated. Its id does not change.
 */
const STAYS: Readonly<Record<EntryOrder, boolean>> = {
  ID_ASC: false,
  ID_DESC: false,
  REVISION_ASC: true,
  REVISION_DESC: true,
}

export interface EntriesArgs extends PageArgs, CriteriaArgs {
  readonly orderBy?: EntryOrder | null | undefined
}

/** The state that a list of entries shows. */
export interface ListState {
  readonly at: ReadAt
  /**
   * For a page that begins at a cursor. `moving`: the list is read as it is now. `fixed`: the state is always the same,
   * so a cursor of another one is refused. `stays`: the state is the one of the cursor's page.
   */
  readonly pages: 'moving' | 'fixed' | 'stays'
}

/** Reads a page of matching entries. @param list - The name of the list in its cursors */
export function entriesPage(
  list: string,
  args: EntriesArgs,
  state: ListState,
  context: RequestContext,
): Promise<EntryListPage<EntryRevision>> {
  return readPage(list, criteriaFrom(args) ?? EVERYTHING, args, state, context)
}

/** Like `entriesPage`, with criteria that are already parsed. */
export async function readPage(
  list: string,
  criteria: Criteria,
  args: PageArgs & Pick<EntriesArgs, 'orderBy'>,
  state: ListState,
  { registry, read }: RequestContext,
): Promise<EntryListPage<EntryRevision>> {
  const order = args.orderBy ?? 'ID_ASC'
  const cursors = entryCursors(registry.history.registryId, list, order)
  const page = pageFrom(args, cursors)
  const at = await pageState(state, page, registry)
  const between = { ...page, after: positionOf(page.after), before: positionOf(page.before) }
  const found = await read(() => registry.findEntries(criteria, order, between, at))
  for (const cursor of [page.after, page.before]) {
    if (cursor !== null && cursor.readAt > found.revision) throw ofFutureRevision()
  }
  const totalCount = () => read(() => registry.countEntries(criteria, at))
  const cursorOf = ({ id, revision }: EntryRevision) => ({ id, revision, readAt: found.revision })
  const connection = connectionOf(page, found, cursors, cursorOf, totalCount)
  return { ...connection, revision: found.revision }
}

/** Returns the state of a page. @throws RegistryError INVALID_CURSOR, COMPACTED, HISTORY_NOT_KEPT */
async function pageState(
  { at, pages }: ListState,
  { after, before }: Page<EntryCursor>,
  registry: Registry,
): Promise<ReadAt> {
  const revision = (after ?? before)?.readAt
  if (pages === 'moving' || revision === undefined) return at
  if (before !== null && before.readAt !== revision)
    throw invalidCursor('`after` and `before` belong to pages of different revisions')
  if (pages === 'fixed' && revision !== at)
    throw invalidCursor(`it belongs to revision ${revision}, and this snapshot shows revision ${at}`)
  if (pages === 'fixed') return at
  try {
    return await registry.revisionAt({ revision })
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'REVISION_NOT_FOUND') throw ofFutureRevision()
    throw error
  }
}

/** The position alone, so that the finder caches a page once, whichever page its cursor comes from. */
function positionOf(cursor: EntryCursor | null): EntryPosition | null {
  return cursor === null ? null : { id: cursor.id, revision: cursor.revision }
}

function ofFutureRevision(): RegistryError {
  return invalidCursor('it belongs to a revision that does not exist yet')
}

builder.queryField('entries', (t) =>
  t.field({
    type: EntryConnection,
    description:
      'The entries at the head that match the criteria. Pages by id show the head at the time of each page: entries that stay are ' +
      'neither skipped nor repeated. Pages by revision all show the revision of the first page. ' +
      'If that revision is compacted before the last page, the error code is COMPACTED; without a history, any change makes it ' +
      'HISTORY_NOT_KEPT. Then begin with the first page again. To read all pages by id from the same state, use `snapshot`.',
    args: { ...criteriaArgs, ...orderArgs, ...pageArgs },
    resolve: (_root, args, context) =>
      entriesPage(
        'entries',
        args,
        { at: 'head', pages: STAYS[args.orderBy ?? 'ID_ASC'] ? 'stays' : 'moving' },
        context,
      ),
  }),
)
