import { readFileSync } from 'node:fs'
import {
  buildSchema,
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLNamedType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isScalarType,
  isUnionType,
  Kind,
  lexicographicSortSchema,
  parse,
  printSchema,
  visit,
} from 'graphql'
import { describe, expect, it } from 'vitest'
import { printedSchema } from '../../src/graphql/printed-schema.js'
import { schema } from '../../src/graphql/schema.js'

const file = (name: string) => readFileSync(new URL(`../../schema/${name}`, import.meta.url), 'utf8')

/** Everything in `contract` that is missing or different in `offered`. */
function missingFrom(offered: GraphQLSchema, contract: GraphQLSchema): string[] {
  return Object.values(contract.getTypeMap())
    .filter(({ name }) => !name.startsWith('__'))
    .flatMap((wanted) => {
      const type = offered.getType(wanted.name)
      if (type === undefined) return [`${wanted.name} is missing`]
      if (type.constructor.name !== wanted.constructor.name) return [`${wanted.name} is a ${type.constructor.name}`]
      return facts(wanted)
        .filter((fact) => !facts(type).includes(fact))
        .map((fact) => `${wanted.name}: ${fact}`)
    })
}

/** The guarantees of a schema, one line each. Arguments and input fields beyond the contract must be optional. */
function facts(type: GraphQLNamedType): string[] {
  if (isScalarType(type)) return []
  if (isEnumType(type)) return type.getValues().map(({ name }) => `value ${name}`)
  if (isUnionType(type)) return type.getTypes().map(({ name }) => `member ${name}`)
  if (isInputObjectType(type)) return [`oneOf ${type.isOneOf}`, ...Object.values(type.getFields()).map(inputFact)]
  const fields = Object.values(type.getFields())
  return [
    ...type.getInterfaces().map(({ name }) => `implements ${name}`),
    ...fields.map((field) => `field ${field.name}: ${String(field.type)}`),
    ...fields.flatMap((field) => field.args.map((arg) => `${field.name}(${inputFact(arg)})`)),
  ]
}

function inputFact({ name, type, defaultValue }: GraphQLArgument | GraphQLInputField): string {
  return `${name}: ${String(type)} = ${JSON.stringify(defaultValue)}`
}

/** Required inputs that a client of the contract does not know. */
function demandedBeyond(offered: GraphQLSchema, contract: GraphQLSchema): string[] {
  const known = new Set(Object.values(contract.getTypeMap()).flatMap((type) => inputsOf(type).map(([place]) => place)))
  return Object.values(offered.getTypeMap())
    .filter(({ name }) => contract.getType(name) !== undefined && !name.startsWith('__'))
    .flatMap(inputsOf)
    .filter(
      ([place, input]) => !known.has(place) && String(input.type).endsWith('!') && input.defaultValue === undefined,
    )
    .filter(([place]) => contract.getType(place.split('.')[0]!) !== undefined && isKnownField(contract, place))
    .map(([place]) => place)
}

function isKnownField(contract: GraphQLSchema, place: string): boolean {
  const [typeName, field] = place.split('.') as [string, string]
  const type = contract.getType(typeName)
  if (isObjectType(type) || isInterfaceType(type)) return type.getFields()[field] !== undefined
  return true
}

function inputsOf(type: GraphQLNamedType): [string, GraphQLArgument | GraphQLInputField][] {
  if (isInputObjectType(type))
    return Object.values(type.getFields()).map((field) => [`${type.name}.${field.name}`, field])
  if (!isObjectType(type) && !isInterfaceType(type)) return []
  return Object.values(type.getFields()).flatMap((field) =>
    field.args.map((arg): [string, GraphQLArgument] => [`${type.name}.${field.name}.${arg.name}`, arg]),
  )
}

describe('the schema', () => {
  const contract = buildSchema(file('contract.graphql'))

  it('contains all of the contract: every type, field, argument, default, enum value, member and interface', () => {
    expect(missingFrom(schema, contract)).toEqual([])
  })

  it('requires no input that the contract does not have', () => {
    expect(demandedBeyond(schema, contract)).toEqual([])
  })

  it('equals schema/schema.graphql', () => {
    expect(printedSchema()).toBe(file('schema.graphql'))
  })

  it('prints to SDL that builds the same schema', () => {
    const built = printSchema(lexicographicSortSchema(buildSchema(printedSchema())))
    expect(printedSchema().endsWith(`\n\n${built}\n`)).toBe(true)
  })

  // Apollo's composition stopped at the unknown directive @oneOf.
  it('prints to SDL that defines each directive that it uses', () => {
    const document = parse(printedSchema())
    const defined = document.definitions.flatMap((each) =>
      each.kind === Kind.DIRECTIVE_DEFINITION ? [each.name.value] : [],
    )
    const used = new Set<string>()
    visit(document, { Directive: ({ name }) => void used.add(name.value) })
    expect([...used].filter((name) => !['deprecated', 'specifiedBy'].includes(name)).sort()).toEqual(defined.sort())
  })

  it('describes every type, field, argument and enum value', () => {
    const types = Object.values(schema.getTypeMap()).filter(
      ({ name }) => !name.startsWith('__') && !['Boolean', 'Float', 'ID', 'Int', 'String'].includes(name),
    )
    const silent = types.flatMap((type) => {
      const own = type.description ? [] : [type.name]
      const values = isEnumType(type)
        ? type
            .getValues()
            .filter(({ description }) => !description)
            .map(({ name }) => `${type.name}.${name}`)
        : []
      const fields =
        isObjectType(type) || isInterfaceType(type)
          ? Object.values(type.getFields())
              .filter(({ description }) => !description)
              .map(({ name }) => `${type.name}.${name}`)
          : []
      const inputs = inputsOf(type)
        .filter(([, { description }]) => !description)
        .map(([place]) => place)
      return [...own, ...values, ...fields, ...inputs]
    })
    expect(silent).toEqual([])
  })
})

describe('the comparison with the contract', () => {
  const contract = buildSchema(
    'interface I { a: Int } enum E { X Y } input In @oneOf { a: Int } type A implements I { a: Int b(c: E = X): [E!]! } type Query { a(in: In): A }',
  )
  const offering = (sdl: string) => missingFrom(buildSchema(sdl), contract)

  it('finds missing, changed and looser parts', () => {
    expect(
      offering(
        'interface I { a: Int } enum E { X } input In { a: Int } type A { a: Int b(c: E): [E!] } type Query { a(in: In): A }',
      ),
    ).toEqual(['E: value Y', 'In: oneOf true', 'A: implements I', 'A: field b: [E!]!', 'A: b(c: E = "X")'])
  })

  it('allows additions, but no required inputs', () => {
    const sdl =
      'interface I { a: Int } enum E { X Y Z } input In @oneOf { a: Int d: Int } type A implements I { a: Int b(c: E = X, d: Int!): [E!]! } type Query { a(in: In): A e(f: Int!): Int }'
    expect(offering(sdl)).toEqual([])
    expect(demandedBeyond(buildSchema(sdl), contract)).toEqual(['A.b.d'])
  })
})
