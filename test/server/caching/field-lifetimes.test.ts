import {
  type GraphQLField,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
} from 'graphql'
import { describe, expect, it } from 'vitest'
import { schema as plain } from '../../../src/graphql/schema.js'
import { ARGUMENT_LIFETIMES } from '../../../src/server/caching/argument-lifetimes.js'
import { FIELD_LIFETIMES } from '../../../src/server/caching/field-lifetimes.js'
import { federatedSchemas } from '../../../src/server/engine/subgraph.js'

const schema = federatedSchemas(plain, { prefix: null, keep: [], node: false }).graphql

const FIELDS: readonly (readonly [string, GraphQLField<unknown, unknown>])[] = Object.values(schema.getTypeMap())
  .filter((type) => isObjectType(type) || isInterfaceType(type))
  .filter(({ name }) => !name.startsWith('__'))
  .flatMap((type) => Object.values(type.getFields()).map((field) => [`${type.name}.${field.name}`, field] as const))

const isIdOfNodes = (name: string) => name === 'Query.node' || name === 'Query.nodes'

describe('the lifetimes of fields', () => {
  it('exist for every field of the schema, and for no other', () => {
    expect(Object.keys(FIELD_LIFETIMES).sort()).toEqual(FIELDS.map(([place]) => place).sort())
  })

  it('depend on the arguments of every field that takes a state or ids of nodes', () => {
    const dependent = FIELDS.filter(
      ([place, { args }]) =>
        FIELD_LIFETIMES[place] !== 'uncacheable' &&
        (isIdOfNodes(place) || args.some(({ type }) => getNamedType(type).name === 'At')),
    )
    expect(Object.keys(ARGUMENT_LIFETIMES).sort()).toEqual(dependent.map(([place]) => place).sort())
  })

  it('are those of the object that is longest in reach of an interface', () => {
    // A field of an interface counts as immutable, so no immutable field may lead to an object that changes.
    const leaks = FIELDS.flatMap(([place, { type }]) => {
      const returned = getNamedType(type)
      if (FIELD_LIFETIMES[place] !== 'immutable' || isIdOfNodes(place) || !isCompositeType(returned)) return []
      if (!isAbstractType(returned)) return []
      return [place]
    })
    expect(leaks).toEqual([])
  })
})
