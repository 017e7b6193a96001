import type { Reference } from '../../core/dependency/reference.js'
import type { EntryRevision } from '../../core/entry/entry.js'
import { compareEntryIds, type EntryId } from '../../core/entry/entry-id.js'
import { compareText } from '../../core/entry/text.js'
import { builder } from '../base/builder.js'
import { EntryRef } from '../base/object-refs.js'
import type { RequestContext } from '../base/request-context.js'
import type { Loaders } from '../loading/loaders.js'

export interface Dependency {
  readonly path: string
  readonly reference: string
  readonly source: EntryId
  readonly target: EntryRevision | null
}

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
  }),
})

/** Resolves the references in an entry. Sorted by path, then by target. */
export async function dependenciesOf(entry: EntryRevision, context: RequestContext): Promise<Dependency[]> {
  const references = context.registry.references(entry.id, entry.content)
  const loaders = context.loaders()
  const targets = await Promise.all(
    references.map(({ target }) => TARGET_LOADERS[target.type](target as never, entry.id, loaders)),
  )
  return references.flatMap(({ path, reference }, index) => {
    const found = targets[index]!
    return (found.length === 0 ? [null] : found).map((target) => ({ path, reference, source: entry.id, target }))
  })
}

/** Finds the entries that refer to this one. Sorted by id, then by path. */
export async function dependentsOf(entry: EntryRevision, context: RequestContext): Promise<Dependency[]> {
  const rows = await context.loaders().dependents.load(entry.id)
  return rows
    .filter(({ source, target }) => source !== entry.id || target.type === 'entry')
    .map(({ source, path, reference }) => ({ source, path, reference, target: entry }))
    .sort((a, b) => compareEntryIds(a.source, b.source) || compareText(a.path, b.path))
}

type Target = Reference['target']
type TargetLoader<Type extends Target['type']> = (
  target: Extract<Target, { type: Type }>,
  source: EntryId,
  loaders: Loaders,
) => Promise<readonly EntryRevision[]>

const TARGET_LOADERS: { readonly [Type in Target['type']]: TargetLoader<Type> } = {
  entry: async ({ id }, _source, loaders) => {
    const entry = await loaders.entry.load(id)
    return entry === null ? [] : [entry]
  },
  namespace: async ({ namespace }, source, loaders) => others(await loaders.namespace.load(namespace), source),
  group: async ({ group }, source, loaders) => others(await loaders.group.load(group), source),
  nothing: async () => [],
}

/** A reference to a namespace or group means all entries in it, except the entry that contains the reference. */
function others(entries: readonly EntryRevision[], self: EntryId): EntryRevision[] {
  return entries.filter(({ id }) => id !== self).sort((a, b) => compareEntryIds(a.id, b.id))
}
