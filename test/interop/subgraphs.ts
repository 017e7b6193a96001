const LINK = (...imports: string[]) =>
  `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ${JSON.stringify(imports)})`

/** A subgraph that refers to entries, and adds a field to them by their key. */
export const REVIEWS = `${LINK('@key')}
  type Query { products: [Product!]! broken: String! maybe: String }
  type Product @key(fields: "sku") { sku: ID! entry: Entry state: EntryRevision version: Version }
  type Entry @key(fields: "id") { id: ID! reviews: [Review!]! rating: Int! }
  type Version @key(fields: "number", resolvable: false) { number: SafeInt! }
  type EntryRevision @key(fields: "id", resolvable: false) { id: ID! }
  type Review { text: String! entry: Entry! }
  scalar SafeInt @specifiedBy(url: "https://www.rfc-editor.org/rfc/rfc8259#section-6")
`

/** A subgraph that adds a field to all types of an interface. */
export const COMMENTS = `${LINK('@key', '@interfaceObject')}
  type EntryState @key(fields: "id") @interfaceObject { id: ID! comments: [String!]! }
`
