import { RegistryError } from '../../core/errors/registry-error.js'
import type { Page } from '../../store/contract/history-reader.js'
import { builder } from '../base/builder.js'
import type { CursorCodec } from './cursor-codec.js'

/** @bound Default number of items of a page. */
export const DEFAULT_PAGE = 100
/** @bound Items of a page. */
export const MAX_PAGE = 1_000

/** Arguments of a list that is read forward. */
export const forwardArgs = builder.args((t) => ({
  first: t.int({
    description: `The number of items, from the start of the list or after \`after\`. ${DEFAULT_PAGE} by default, at most ${MAX_PAGE}.`,
  }),
  after: t.string({ description: 'A cursor. The page begins right after it.' }),
}))

/** Arguments of a list that is read forward or backward. */
export const pageArgs = builder.args((t) => ({
  first: t.int({
    description: `The number of items, from the start of the list or after \`after\`. ${DEFAULT_PAGE} by default, at most ${MAX_PAGE}.`,
  }),
  after: t.string({ description: 'A cursor. Only items after it are listed.' }),
  last: t.int({
    description: `The number of items, from the end of the list or before \`before\`. At most ${MAX_PAGE}. Cannot be combined with \`first\`.`,
  }),
  before: t.string({ description: 'A cursor. Only items before it are listed.' }),
}))

/** Arguments of a list that is returned whole unless it is long. The cursors are those of its items. */
export const listArgs = builder.args((t) => ({
  first: t.int({
    description: `The number of items, from the start of the list or after \`after\`. ${MAX_PAGE} by default, which is also the most.`,
  }),
  after: t.string({ description: 'The `cursor` of an item. The list begins right after it.' }),
}))

export interface PageArgs {
  readonly first?: number | null | undefined
  readonly after?: string | null | undefined
  readonly last?: number | null | undefined
  readonly before?: string | null | undefined
}

/** Converts arguments to a page. @throws RegistryError BAD_USER_INPUT, INVALID_CURSOR */
export function pageFrom<Position>(args: PageArgs, cursors: CursorCodec<Position>): Page<Position> {
  const first = args.first ?? null
  const last = args.last ?? null
  if (first !== null && last !== null) {
    throw new RegistryError('BAD_USER_INPUT', 'first and last cannot be combined. Leave one out.')
  }
  return {
    limit: last === null ? pageSize('first', first ?? DEFAULT_PAGE) : pageSize('last', last),
    after: args.after == null ? null : cursors.decode(args.after),
    before: args.before == null ? null : cursors.decode(args.before),
    fromEnd: last !== null,
  }
}

/** Converts the arguments of `listArgs` to a page. @throws RegistryError BAD_USER_INPUT, INVALID_CURSOR */
export function listPageFrom<Position>(
  { first, after }: Pick<PageArgs, 'first' | 'after'>,
  cursors: CursorCodec<Position>,
): Page<Position> {
  return pageFrom({ first: first ?? MAX_PAGE, after }, cursors)
}

function pageSize(name: string, size: number): number {
  if (size >= 0 && size <= MAX_PAGE) return size
  throw new RegistryError(
    'BAD_USER_INPUT',
    `${name}: ${size} is not a page size. Use 0 to ${MAX_PAGE}, and get further pages with after or before.`,
  )
}
