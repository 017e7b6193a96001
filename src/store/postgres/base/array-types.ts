/** The types of which the store sends or reads arrays: the type's OID and that of its array (`pg_type.dat` of Postgres). */
const ARRAY_TYPES = [
  { element: 16, array: 1000 }, // boolean
  { element: 17, array: 1001 }, // bytea
  { element: 20, array: 1016 }, // bigint
  { element: 23, array: 1007 }, // integer
  { element: 25, array: 1009 }, // text
  { element: 114, array: 199 }, // json
  { element: 1184, array: 1185 }, // timestamptz
  { element: 2950, array: 2951 }, // uuid
  { element: 3802, array: 3807 }, // jsonb
] as const

type Parser = ((text: string) => unknown) & { array?: boolean }

/**
 * Teaches a client the types of arrays. By default the driver asks the server on each new connection. That costs a round
 * trip, and if the connection breaks meanwhile, nothing handles the rejection. A client that is taught here is created
 * with `fetch_types: false`.
 */
export function addArrayTypes<Client extends { readonly options: object }>(client: Client): Client {
  const { parsers, serializers } = client.options as {
    readonly parsers: Record<number, Parser>
    readonly serializers: Record<number, (value: unknown) => string>
  }
  for (const { element, array } of ARRAY_TYPES) {
    // Looked up late, because Drizzle replaces those of timestamps.
    const parse: Parser = (text) => parseArray(text, (item) => parsers[element]?.(item) ?? item)
    parse.array = true
    parsers[array] = parse
    serializers[array] = (value) => formatArray(value, (item) => serializers[element]?.(item) ?? `${item}`)
  }
  return client
}

/**
 * Formats a one-dimensional array as Postgres reads it. Any other value is already text.
 * @throws TypeError if an item is undefined
 */
export function formatArray(value: unknown, format: (item: unknown) => string): string {
  if (!Array.isArray(value)) return value as string
  const items = value.map((item) => {
    if (item === undefined) throw new TypeError('An array for Postgres has an undefined item.')
    return item === null ? 'NULL' : `"${format(item).replace(/["\\]/g, '\\$&')}"`
  })
  return `{${items.join(',')}}`
}

const ITEM = /"((?:[^"\\]|\\[\s\S])*)"|([^,{}"]+)/g

/** Parses a one-dimensional array as Postgres writes it. */
export function parseArray(text: string, parse: (item: string) => unknown): unknown[] {
  return [...text.matchAll(ITEM)].map(([, quoted, plain]) => {
    if (quoted !== undefined) return parse(quoted.replace(/\\([\s\S])/g, '$1'))
    return plain === 'NULL' ? null : parse(plain!)
  })
}
