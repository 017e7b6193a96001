import type { Page, PageOf } from '../../store/contract/history-reader.js'
import { builder } from '../base/builder.js'
import type { CursorCodec } from './cursor-codec.js'

/** One page of a list, in the form that the Cursor Connections Specification gives it. */
export interface Connection<Item> {
  readonly items: readonly Item[]
  readonly hasNextPage: boolean
  readonly hasPreviousPage: boolean
  readonly cursorOf: (item: Item) => string
  /** Asked only where a client selects it. */
  readonly totalCount: () => Promise<number> | number
}

/** A page of entries also says at which revision it was read. */
export interface EntryListPage<Item> extends Connection<Item> {
  readonly revision: number
}

interface Edge<Item> {
  readonly node: Item
  readonly cursor: string
}

/**
 * Puts together a page that was read. On the side that `limit` cut, the page goes on where the window holds more,
 * whatever lies beyond the window: the Cursor Connections Specification has it so. On the other side it does where
 * a cursor bounds it.
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
  description: 'What lies around a page.',
  fields: (t) => ({
    hasNextPage: t.exposeBoolean('hasNextPage', { description: 'Whether the list goes on behind this page.' }),
    hasPreviousPage: t.exposeBoolean('hasPreviousPage', {
      description: 'Whether the list has something before this page.',
    }),
    startCursor: t.exposeString('startCursor', {
      nullable: true,
      description: "The first item's cursor; null on an empty page.",
    }),
    endCursor: t.exposeString('endCursor', {
      nullable: true,
      description: "The last item's cursor; null on an empty page.",
    }),
  }),
})

type Ref<Shape> = ReturnType<typeof builder.objectRef<Shape>>

/** Declares `<name>Connection` and `<name>Edge` over a type. */
export function connectionType<Item extends object>(node: Ref<Item>, things: string) {
  return declared<Item, Connection<Item>>(node, things)
}

/** As `connectionType`, for lists of entries: with `revision`. */
export function entryConnectionType<Item extends object>(node: Ref<Item>, things: string) {
  const ref = declared<Item, EntryListPage<Item>>(node, things)
  builder.objectField(ref, 'revision', (t) =>
    t.field({
      type: 'SafeInt',
      description: 'The revision that this page was read at.',
      resolve: (page) => (page as EntryListPage<Item>).revision,
    }),
  )
  return ref
}

function declared<Item extends object, Page extends Connection<Item>>(node: Ref<Item>, things: string): Ref<Page> {
  const edge = builder.objectRef<Edge<Item>>(`${node.name}Edge`)
  edge.implement({
    description: `A place in a list of ${things}.`,
    fields: (t) => ({
      node: t.field({ type: node, description: 'What stands there.', resolve: (at) => at.node as never }),
      cursor: t.exposeString('cursor', { description: 'Names this place: pass it as `after` or `before`.' }),
    }),
  })

  const ref = builder.objectRef<Page>(`${node.name}Connection`)
  ref.implement({
    description: `A page of a list of ${things}.`,
    fields: (t) => ({
      edges: t.field({
        type: [edge],
        description: "The page's items, each with its cursor.",
        resolve: (page) => page.items.map((item) => ({ node: item, cursor: page.cursorOf(item) })),
      }),
      nodes: t.field({ type: [node], description: "The page's items.", resolve: (page) => page.items as never }),
      pageInfo: t.field({ type: PageInfoRef, description: 'What lies around this page.', resolve: pageInfoOf }),
      totalCount: t.int({
        description: 'The length of the whole list, whatever the page. Counted only where it is asked for.',
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
