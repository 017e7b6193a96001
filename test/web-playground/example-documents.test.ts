import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSchema, getVariableValues, Kind, type OperationDefinitionNode, parse, validate } from 'graphql'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const sources = join(root, 'web-playground', 'src')
const files = (ending: RegExp) =>
  readdirSync(sources, { recursive: true, encoding: 'utf8' })
    .filter((file) => ending.test(file))
    .map((file) => join(sources, file))

const schema = () => buildSchema(readFileSync(join(root, 'schema', 'schema.graphql'), 'utf8'))
const camelCase = (kebab: string) => kebab.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())

describe("the page's documents", () => {
  it('exist', () => {
    expect(files(/\.graphql$/).length).toBeGreaterThanOrEqual(10)
  })

  it.each(files(/\.graphql$/).map((file) => [basename(file), file]))('%s fits the schema', (_, file) => {
    expect(validate(schema(), parse(readFileSync(file, 'utf8'))).map((error) => error.message)).toEqual([])
  })

  const examples = files(/examples[\\/].*\.graphql$/).map((file) => [basename(file, '.graphql'), file] as const)
  const variables = JSON.parse(readFileSync(join(sources, 'examples', 'variables.json'), 'utf8')) as Record<
    string,
    object
  >

  it('have variables for each example and no others', () => {
    expect(Object.keys(variables).sort()).toEqual(examples.map(([name]) => camelCase(name)).sort())
  })

  it.each(examples)('%s has a name and matching variables', (name, file) => {
    const operations = parse(readFileSync(file, 'utf8')).definitions.filter(
      (each): each is OperationDefinitionNode => each.kind === Kind.OPERATION_DEFINITION,
    )
    expect(operations.map((operation) => operation.name?.value)).toEqual([expect.any(String)])
    const given = variables[camelCase(name)] as Record<string, unknown>
    const { errors } = getVariableValues(schema(), operations[0]?.variableDefinitions ?? [], given)
    expect(errors ?? []).toEqual([])
  })
})

describe("the page's sources", () => {
  it('import nothing of the gateway', () => {
    const imports = files(/\.tsx?$/).flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, name]) => [
        file,
        name ?? '',
      ]),
    )
    expect(imports.length).toBeGreaterThan(20)
    expect(imports.filter(([, name]) => /\bsrc\b|(\.\.\/){3}/.test(name ?? ''))).toEqual([])
  })
})
