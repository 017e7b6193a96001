import { readdirSync, readFileSync } from 'node:fs'
import { type DefinitionNode, Kind, parse, validate } from 'graphql'
import { describe, expect, it } from 'vitest'
import { schema } from '../../src/graphql/schema.js'

const folder = new URL('../../schema/operations/', import.meta.url)
const names = readdirSync(folder).filter((name) => name.endsWith('.graphql'))

const operationName = (definition: DefinitionNode | undefined) =>
  definition?.kind === Kind.OPERATION_DEFINITION ? definition.name?.value : undefined
const pascal = (name: string) => name.replaceAll(/(^|-)(\w)/g, (_all, _dash, letter: string) => letter.toUpperCase())

describe('the shared operation documents', () => {
  it('exist', () => {
    expect(names.length).toBeGreaterThan(10)
  })

  it.each(names)('%s is valid and contains one operation with the name of the file', (name) => {
    const document = parse(readFileSync(new URL(name, folder), 'utf8'))
    expect(validate(schema, document)).toEqual([])
    expect(document.definitions.map(operationName)).toEqual([pascal(name.replace('.graphql', ''))])
  })
})
