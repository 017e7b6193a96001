import { cursorAfter } from '../../registry/following/follow-cursor.js'
import type { Page, PageOf } from '../../store/contract/history-reader.js'
import { builder } from '../base/builder.js'
import type { CursorCodec } from './cursor-codec.js'

/** One page of a list, as in the Relay Cursor Connections Specification. */
export interface Connection<Item> {
  readonly items: readonly Item[]
  readonly hasNextPage: boolean
  readonly hasPreviousPage: boolean
  readonly cursorOf: (item: Item) => string
  /** Called only if a client selects it. */
  readonly totalCount: () => Promise<number> | number
}

/** A page of entries, with the revision at which it was read. */
export interface EntryListPage<Item> extends Connection<Item> {
  readonly revision: number
}

interface Edge<Item> {
  readonly node: Item
  readonly cursor: string
}

/**
 * Makes a connection from a page that was read. On the side where `limit` cuts, there is a further page if more items
 * lie between the cursors. On the other side, there is one if a cursor bounds it. Both are as in the Cursor
 * Connections Specification.
 */
export function connectionOf<Item, Position>(
  page: Page<Position>,
  found: PageOf<Item>,
  cursors: CursorCodec<Position>,
  positionOf: (item: Item) => Position,
  totalCount: () => Promise<number> | number,
): Connection<Item> {
  return {
    items: found.items,
    hasNextPage: page.fromEnd ? page.before !== null : found.hasMore,
    hasPreviousPage: page.fromEnd ? found.hasMore : page.after !== null,
    cursorOf: (item) => cursors.encode(positionOf(item)),
    totalCount,
  }
}

interface PageInfo {
  readonly hasNextPage: boolean
  readonly hasPreviousPage: boolean
  readonly startCursor: string | null
  readonly endCursor: string | null
}

const PageInfoRef = builder.objectRef<PageInfo>('PageInfo').implement({
  description: 'Information about a page: its first and last cursors, and whether there are more items.',
  fields: (t) => ({
    hasNextPage: t.exposeBoolean('hasNextPage', { description: 'Whether there are items after this page.' }),
    hasPreviousPage: t.exposeBoolean('hasPreviousPage', {
      description: 'Whether there are items before this page.',
    }),
    startCursor: t.exposeString('startCursor', {
      nullable: true,
      description: 'The cursor of the first item; null on an empty page.',
    }),
    endCursor: t.exposeString('endCursor', {
      nullable: true,
      description: 'The cursor of the last item; null on an empty page.',
    }),
  }),
})

type Ref<Shape> = ReturnType<typeof builder.objectRef<Shape>>

/** Defines `<Name>Connection` and `<Name>Edge` for a type. @param things - The items in the plural, for descriptions */
export function connectionType<Item extends object>(node: Ref<Item>, things: string) {
  return defineConnection<Item, Connection<Item>>(node, things)
}

/** Like `connectionType`, for lists of entries, whose pages have a `revision`. */
export function entryConnectionType<Item extends object>(node: Ref<Item>, things: string) {
  const ref = defineConnection<Item, EntryListPage<Item>>(node, things)
  builder.objectField(ref, 'cursor', (t) =>
    t.string({
      description:
        'Pass it as `after` to the subscription `changes`: it continues with what happened since this page was read.',
      resolve: (page, _args, { registry }) =>
        cursorAfter(registry.history.registryId, (page as EntryListPage<Item>).revision),
    }),
  )
  builder.objectField(ref, 'revision', (t) =>
    t.field({
      type: 'SafeInt',
      description: 'The revision at which this page was read.',
      resolve: (page) => (page as EntryListPage<Item>).revision,
    }),
  )
  return ref
}

function defineConnection<Item extends object, Page extends Connection<Item>>(
  node: Ref<Item>,
  things: string,
): Ref<Page> {
  const edgeRef = builder.objectRef<Edge<Item>>(`${node.name}Edge`)
  edgeRef.implement({
    description: `An item in a list of ${things}, with its cursor.`,
    fields: (t) => ({
      node: t.field({ type: node, description: 'The item.', resolve: (edge) => edge.node as never }),
      cursor: t.exposeString('cursor', {
        description: 'An opaque position in the list. Pass it as `after` or `before`.',
      }),
    }),
  })

  const ref = builder.objectRef<Page>(`${node.name}Connection`)
  ref.implement({
    description: `A page of a list of ${things}.`,
    fields: (t) => ({
      edges: t.field({
        type: [edgeRef],
        description: 'The items of the page, each with its cursor.',
        resolve: (page) => page.items.map((item) => ({ node: item, cursor: page.cursorOf(item) })),
      }),
      nodes: t.field({ type: [node], description: 'The items of the page.', resolve: (page) => page.items as never }),
      pageInfo: t.field({
        type: PageInfoRef,
        description: 'Whether there are further pages, and the first and last cursors of this one.',
        resolve: pageInfoOf,
      }),
      totalCount: t.int({
        description:
          'The number of items in the whole list, on all pages. It is counted only if you select this field.',
        resolve: (page) => page.totalCount(),
      }),
    }),
  })
  return ref
}

function pageInfoOf<Item>({ items, hasNextPage, hasPreviousPage, cursorOf }: Connection<Item>): PageInfo {
  const first = items[0]
  const last = items.at(-1)
  return {
    hasNextPage,
    hasPreviousPage,
    startCursor: first === undefined ? null : cursorOf(first),
    endCursor: last === undefined ? null : cursorOf(last),
  }
}
