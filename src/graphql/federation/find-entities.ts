import { isJsonObject } from '../../core/entry/json.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import type { RequestContext } from '../base/request-context.js'
import { type FoundNode, findNode } from '../relay/node-interface.js'
import { ENTITIES } from './entity-table.js'

type Found = FoundNode | null

/**
 * Finds the entities of representations, in their order. Null stands for one that does not exist, or whose key is
 * missing or malformed. The loaders read all entities of a type together.
 * @returns for each representation: the entity, a promise of it, or the error of its place
 */
export function findEntities(
  representations: readonly unknown[],
  context: RequestContext,
  /** Maps the name of a type in the subgraph to its name here. */
  nameHere: (typename: string) => string,
): (Found | Error | Promise<Found>)[] {
  const found = new Map<string, Found | Promise<Found>>()
  return representations.map((representation, place) => {
    const typename = isJsonObject(representation) ? representation['__typename'] : undefined
    if (typeof typename !== 'string') return wrong(place, 'has no __typename. Send the name of an entity type')
    const name = nameHere(typename)
    const row = Object.hasOwn(ENTITIES, name) ? ENTITIES[name]! : undefined
    if (row === undefined)
      return wrong(place, `has the __typename "${typename}", which is not an entity of this subgraph`)
    const fields = representation as Readonly<Record<string, unknown>>
    const key = row.keys.find(({ fields: names }) => names.split(' ').every((field) => Object.hasOwn(fields, field)))
    const id = key?.nodeId(fields) ?? null
    if (id === null) return null
    if (!found.has(id)) found.set(id, findNode(id, context))
    return ofType(row.types, found.get(id)!)
  })
}

/** A node id may belong to another type than the representation says. */
function ofType(types: readonly string[], node: Found | Promise<Found>): Found | Promise<Found> {
  const check = (settled: Found) => (settled !== null && types.includes(settled.__typename) ? settled : null)
  return node instanceof Promise ? node.then(check) : check(node)
}

function wrong(place: number, what: string): Error {
  return new RegistryError('BAD_USER_INPUT', `representations[${place}] ${what}.`)
}
