import type { Reference } from '../../core/dependency/reference.js'
import type { EntryRevision } from '../../core/entry/entry.js'
import type { EntryId } from '../../core/entry/entry-id.js'
import { compareText } from '../../core/entry/text.js'
import { inSlices } from '../../store/coalescing/time-slices.js'
import type { Page, PageOf } from '../../store/contract/history-reader.js'
import { builder } from '../base/builder.js'
import { EntryRef } from '../base/object-refs.js'
import type { RequestContext } from '../base/request-context.js'
import type { Loaders } from '../loading/loaders.js'
import { textPairCursors } from '../relay/cursor-codec.js'
import { listPageFrom, type PageArgs } from '../relay/page-args.js'

export interface Dependency {
  readonly path: string
  readonly reference: string
  readonly source: EntryId
  readonly target: EntryRevision | null
  /** Returns the position in the list of dependencies or dependents. */
  readonly cursor: () => string
}

/** A page of the dependencies or dependents of an entry. */
export interface DependencyPage {
  readonly items: readonly Dependency[]
  readonly hasMore: boolean
}

type ListArgs = Pick<PageArgs, 'first' | 'after'>

/** References to namespaces and groups that are resolved at once, at first. Doubles until the page is full. */
const FIRST_BATCH = 8

export const DependencyRef = builder.objectRef<Dependency>('Dependency').implement({
  description: 'A reference from one entry to another.',
  fields: (t) => ({
    path: t.exposeString('path', {
      description: 'The path of the reference in its entry, e.g. "meta.server".',
    }),
    reference: t.exposeString('reference', {
      description: 'The reference as it is written, e.g. "app:db", "db" or "group:web".',
    }),
    source: t.exposeID('source', { description: 'The id of the entry that contains the reference.' }),
    target: t.expose('target', {
      type: EntryRef,
      nullable: true,
      description:
        'The entry that is referred to; null if there is none. A reference to several entries makes a dependency for each.',
    }),
    cursor: t.string({
      description: 'An opaque position in the list. Pass it as `after` to the field that returned this list.',
      resolve: ({ cursor }) => cursor(),
    }),
  }),
})

/** Resolves a page of the references in an entry. Sorted by path, then by target. */
export async function dependenciesOf(
  entry: EntryRevision,
  args: ListArgs,
  context: RequestContext,
): Promise<DependencyPage> {
  const { registry } = context
  const cursors = textPairCursors(registry.history.registryId, `dependencies ${entry.id}`)
  const { limit, after } = listPageFrom(args, cursors)
  let rest = await inSlices(registry.references.inSteps(entry.id, entry.content), context.signal)
  if (after !== null) rest = rest.filter(({ path }) => compareText(path, after[0]) >= 0)

  const items: Dependency[] = []
  for (let several = FIRST_BATCH; rest.length > 0 && items.length <= limit; several *= 2) {
    const batch = rest.slice(0, batchLength(rest, several, limit + 1))
    rest = rest.slice(batch.length)
    const targets = await Promise.all(batch.map((reference) => targetsOf(reference, entry.id, limit, after, context)))
    for (const [index, { path, reference }] of batch.entries()) {
      for (const target of targets[index]!) {
        const cursor = () => cursors.encode([path, target?.id ?? ''])
        items.push({ path, reference, source: entry.id, target, cursor })
      }
    }
  }
  const page = items.slice(0, limit)
  context.charge(page.length)
  return { items: page, hasMore: items.length > limit }
}

/** Finds a page of the references to an entry. Sorted by id, then by path. */
export async function dependentsOf(
  entry: EntryRevision,
  args: ListArgs,
  context: RequestContext,
): Promise<DependencyPage> {
  const cursors = textPairCursors(context.registry.history.registryId, `dependents ${entry.id}`)
  const { limit, after } = listPageFrom(args, cursors)
  const position = after === null ? null : { source: after[0] as EntryId, path: after[1] }
  const page = { limit, after: position, before: null, fromEnd: false }
  const { items, hasMore } = await context.loaders().dependents.load({ of: entry.id, page })
  context.charge(items.length)
  return {
    items: items.map(({ source, path, reference }) => {
      return { source, path, reference, target: entry, cursor: () => cursors.encode([source, path]) }
    }),
    hasMore,
  }
}

/** How many references to resolve at once, so that at most `several` of them are to namespaces or groups. */
function batchLength(references: readonly Reference[], several: number, most: number): number {
  let groups = 0
  const end = references.findIndex(({ target }, index) => {
    if (target.type === 'namespace' || target.type === 'group') groups += 1
    return index >= most || groups > several
  })
  return end === -1 ? references.length : Math.max(1, end)
}

/** The targets of a reference after a position, one more than `limit` at least if there are more. [null] if it dangles. */
async function targetsOf(
  { path, target }: Reference,
  source: EntryId,
  limit: number,
  after: readonly [path: string, target: string] | null,
  context: RequestContext,
): Promise<readonly (EntryRevision | null)[]> {
  const isBegun = after !== null && after[0] === path
  // A position without a target is that of a dangling reference, or of one to an empty namespace or group.
  if (isBegun && (after[1] === '' || target.type === 'entry')) return []
  const page = {
    // One more to know whether there are more, and one for the entry that contains the reference.
    limit: limit + 2,
    after: isBegun ? (after[1] as EntryId) : null,
    before: null,
    fromEnd: false,
  }
  const found = await TARGET_LOADERS[target.type](target as never, source, page, context.loaders())
  return found.length === 0 && !isBegun ? [null] : found
}

type Target = Reference['target']
type TargetLoader<Type extends Target['type']> = (
  target: Extract<Target, { type: Type }>,
  source: EntryId,
  page: Page<EntryId>,
  loaders: Loaders,
) => Promise<readonly EntryRevision[]>

const TARGET_LOADERS: { readonly [Type in Target['type']]: TargetLoader<Type> } = {
  entry: async ({ id }, _source, _page, loaders) => {
    const entry = await loaders.entry.load(id)
    return entry === null ? [] : [entry]
  },
  namespace: async ({ namespace }, source, page, loaders) =>
    others(await loaders.namespace.load({ of: namespace, page }), source),
  group: async ({ group }, source, page, loaders) => others(await loaders.group.load({ of: group, page }), source),
  nothing: async () => [],
}

/** A reference to a namespace or group means all entries in it, except the entry that contains the reference. */
function others({ items }: PageOf<EntryRevision>, self: EntryId): EntryRevision[] {
  return items.filter(({ id }) => id !== self)
}
