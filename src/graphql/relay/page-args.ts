import { RegistryError } from '../../core/errors/registry-error.js'
import type { Page } from '../../store/contract/history-reader.js'
import { builder } from '../base/builder.js'
import type { CursorCodec } from './cursor-codec.js'

/** @bound Default number of items of a page. */
export const DEFAULT_PAGE = 100
/** @bound Items of a page. */
export const MAX_PAGE = 1_000

/** Arguments of a list that is read from the front. */
export const forwardArgs = builder.args((t) => ({
  first: t.int({ description: `The page's size from the front: ${DEFAULT_PAGE} unless given, ${MAX_PAGE} at most.` }),
  after: t.string({ description: 'Go on behind this cursor.' }),
}))

/** Arguments of a list that is read from either end. */
export const pageArgs = builder.args((t) => ({
  first: t.int({ description: `The page's size from the front: ${DEFAULT_PAGE} unless given, ${MAX_PAGE} at most.` }),
  after: t.string({ description: 'Only what stands behind this cursor.' }),
  last: t.int({ description: `The page's size from the back, ${MAX_PAGE} at most; not together with \`first\`.` }),
  before: t.string({ description: 'Only what stands before this cursor.' }),
}))

export interface PageArgs {
  readonly first?: number | null | undefined
  readonly after?: string | null | undefined
  readonly last?: number | null | undefined
  readonly before?: string | null | undefined
}

/** The window that a caller asked for. @throws RegistryError BAD_USER_INPUT, INVALID_CURSOR */
export function pageFrom<Position>(args: PageArgs, cursors: CursorCodec<Position>): Page<Position> {
  const first = args.first ?? null
  const last = args.last ?? null
  if (first !== null && last !== null) {
    throw new RegistryError(
      'BAD_USER_INPUT',
      'first and last were both given: a page is taken from one end, leave one out',
    )
  }
  return {
    limit: last === null ? pageSize('first', first ?? DEFAULT_PAGE) : pageSize('last', last),
    after: args.after == null ? null : cursors.decode(args.after),
    before: args.before == null ? null : cursors.decode(args.before),
    fromEnd: last !== null,
  }
}

function pageSize(name: string, size: number): number {
  if (size >= 0 && size <= MAX_PAGE) return size
  throw new RegistryError(
    'BAD_USER_INPUT',
    `${name} is ${size}: a page has 0 to ${MAX_PAGE} items; page on with after or before`,
  )
}
