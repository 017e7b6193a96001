import type { Lifetime } from './field-lifetimes.js'

/** The values of a field's arguments. Those that were not given are missing. */
type Arguments = Readonly<Record<string, unknown>>

/** How long a field's value stays as it is, by its arguments and the revision of the head. */
export type ArgumentLifetime = (given: Arguments, headRevision: number) => Lifetime

interface IdRow {
  readonly id: RegExp
  readonly lifetime: (headRevision: number, revision: string) => Lifetime
}

/** A revision that the head has not reached yet is null now and an object later. */
const ofRevision: IdRow['lifetime'] = (headRevision, revision) =>
  Number(revision) <= headRevision ? 'immutable' : 'by revision'

/** Ids of nodes that change only with the head. All others, such as tags and instances, come and go in between. */
const IDS: readonly IdRow[] = [
  { id: /^[rts](0|[1-9]\d*)(?=\/|$)/, lifetime: ofRevision },
  { id: /^v(?:0|[1-9]\d*)$/, lifetime: () => 'by revision' },
  // An entry's id has a colon, and no slash before it.
  { id: /^[^/:]*:/, lifetime: () => 'by revision' },
]

function ofId(id: unknown, headRevision: number): Lifetime {
  if (typeof id !== 'string') return 'uncacheable'
  for (const row of IDS) {
    const match = row.id.exec(id)
    if (match !== null) return row.lifetime(headRevision, match[1]!)
  }
  return 'uncacheable'
}

/** The lifetime of a state at `At`. A tag can move at any time; a version may become the head. */
function ofState(at: unknown, headRevision: number): Lifetime {
  const { tag, revision } = (at ?? {}) as { readonly tag?: unknown; readonly revision?: unknown }
  if (tag !== undefined && tag !== null) return 'uncacheable'
  return typeof revision === 'number' && revision <= headRevision ? 'immutable' : 'by revision'
}

/**
 * Fields whose arguments shorten their lifetime. Every field that takes an `At` or ids of nodes needs a row, which
 * `field-lifetimes.test.ts` checks.
 */
export const ARGUMENT_LIFETIMES: Readonly<Record<string, ArgumentLifetime>> = {
  'Query.delta': ({ from, to }, head) => shortest([ofState(from, head), ofState(to, head)]),
  'Query.dependencyGraph': ({ at }, head) => ofState(at, head),
  'Query.node': ({ id }, head) => ofId(id, head),
  'Query.nodes': ({ ids }, head) =>
    Array.isArray(ids) ? shortest(ids.map((id: unknown) => ofId(id, head))) : 'uncacheable',
  'Query.snapshot': ({ at }, head) => ofState(at, head),
}

const ORDER: readonly Lifetime[] = ['uncacheable', 'by revision', 'immutable']

/** An answer lives as long as its field of the shortest life. */
export function shortest(lifetimes: readonly Lifetime[]): Lifetime {
  return ORDER.find((lifetime) => lifetimes.includes(lifetime)) ?? 'immutable'
}
