import { type GraphQLField, getNamedType, isListType, isNonNullType, isObjectType } from 'graphql'
import { describe, expect, it } from 'vitest'
import { schema as plain } from '../../../src/graphql/schema.js'
import { federatedSchemas } from '../../../src/server/engine/subgraph.js'
import { FIELD_WEIGHTS } from '../../../src/server/weighing/field-weights.js'

const schema = federatedSchemas(plain, { prefix: null, keep: [], node: false }).graphql

type Field = GraphQLField<unknown, unknown>

const FIELDS: readonly (readonly [string, Field])[] = Object.values(schema.getTypeMap())
  .filter(isObjectType)
  .filter(({ name }) => !name.startsWith('__'))
  .flatMap((type) => Object.values(type.getFields()).map((field) => [`${type.name}.${field.name}`, field] as const))

/** A resolver that takes the context can read more than the object that it gets. */
function usesContext({ extensions, resolve: made }: Field): boolean {
  const written = extensions['pothosOptions'] as { readonly resolve?: (...given: unknown[]) => unknown } | undefined
  const resolve = written === undefined ? made : written.resolve
  return resolve !== undefined && resolve.length >= 3
}

function isList({ type }: Field): boolean {
  return isListType(isNonNullType(type) ? type.ofType : type)
}

const isConnection = (name: string | undefined) => name?.endsWith('Connection') === true

describe('the weights of fields', () => {
  it('exist for every field that reads more than its row, or that returns a list', () => {
    // A field that nobody weighed cost others their answers: 300 aliases of `delta` weighed 300.
    const missing = FIELDS.filter(
      ([place, field]) =>
        FIELD_WEIGHTS[place] === undefined &&
        (usesContext(field) || (isList(field) && !isConnection(place.split('.')[0]))),
    )
    expect(missing.map(([place]) => place)).toEqual([])
  })

  it('exist for no field that the schema does not have', () => {
    const places = new Set(FIELDS.map(([place]) => place))
    expect(Object.keys(FIELD_WEIGHTS).filter((place) => !places.has(place))).toEqual([])
  })

  it('say what counting costs wherever a connection is returned', () => {
    const uncounted = FIELDS.filter(
      ([place, field]) => isConnection(getNamedType(field.type).name) && FIELD_WEIGHTS[place]?.count === undefined,
    )
    expect(uncounted.map(([place]) => place)).toEqual([])
  })
})
