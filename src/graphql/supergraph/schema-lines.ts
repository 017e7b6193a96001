import { type DefinitionNode, type NameNode, parse } from 'graphql'

/** The lines where an SDL defines its types and their fields, by coordinate: `User`, `User.name`. */
export type SchemaLines = ReadonlyMap<string, { readonly first: number; last: number }>

/** Parses the SDL again, because it is composed without locations. */
export function schemaLines(sdl: string): SchemaLines {
  const lines = new Map<string, { first: number; last: number }>()
  const add = (coordinate: string, { loc }: NameNode) => {
    const { line } = loc!.startToken
    const known = lines.get(coordinate)
    if (known === undefined) lines.set(coordinate, { first: line, last: line })
    else known.last = line
  }
  for (const definition of parse(sdl).definitions) {
    const type = 'name' in definition ? definition.name : undefined
    if (type === undefined) continue
    add(type.value, type)
    for (const name of memberNames(definition)) add(`${type.value}.${name.value}`, name)
  }
  return lines
}

function memberNames(definition: DefinitionNode): NameNode[] {
  const fields = 'fields' in definition ? (definition.fields ?? []) : []
  const values = 'values' in definition ? (definition.values ?? []) : []
  return [...fields, ...values].map(({ name }) => name)
}
