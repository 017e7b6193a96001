import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { interop } from './packages.js'
import { COMMENTS, REVIEWS } from './subgraphs.js'

/** A subgraph server beside the registry. */
export interface NeighborSubgraph {
  readonly sdl: string
  readonly url: string
  close(): Promise<void>
}

type Representation = Readonly<Record<string, string> & { __typename: string }>

/** The directives that composition reads, and that a server must know to parse the text. */
const DIRECTIVES = `
  directive @key(fields: String!, resolvable: Boolean) repeatable on OBJECT | INTERFACE
  directive @interfaceObject on OBJECT
  scalar _Any
  extend type Query { _entities(representations: [_Any!]!): [_Entity]! }
`
const LINK_LINE = /^extend schema @link.*$/m

/** Products, which refer to entries and versions, and reviews of entries. The entry `shop:unrated` has no rating. */
export function startReviews(products: readonly object[]): Promise<NeighborSubgraph> {
  const resolvers = {
    Query: {
      products: () => products,
      broken: () => {
        throw refusal('broken on purpose', 'BROKEN')
      },
      maybe: () => null,
    },
    Entry: {
      reviews: ({ id }: { id: string }) => [{ text: `about ${id}`, entry: { id } }],
      rating: ({ id }: { id: string }) => {
        if (id === 'shop:unrated') throw refusal('no rating', 'UNRATED')
        return id.length
      },
    },
  }
  return serve(REVIEWS, 'union _Entity = Entry | Product', resolvers)
}

/** One comment for each state of an entry. */
export function startComments(): Promise<NeighborSubgraph> {
  const resolvers = {
    EntryState: { comments: ({ id }: { id: string }) => [`of ${id}`] },
  }
  // A server must have a root type of its own.
  return serve(COMMENTS, 'union _Entity = EntryState type Query { comments: Int }', resolvers)
}

function refusal(message: string, code: string): Error {
  const { GraphQLError } = interop('graphql')
  return new GraphQLError(message, { extensions: { code } })
}

async function serve(sdl: string, entity: string, resolvers: Record<string, object>): Promise<NeighborSubgraph> {
  const { createSchema, createYoga } = interop('graphql-yoga')
  const yoga = createYoga({
    logging: false,
    maskedErrors: false,
    schema: createSchema({
      typeDefs: [sdl.replace(LINK_LINE, ''), DIRECTIVES, entity],
      resolvers: {
        ...resolvers,
        Query: {
          ...resolvers['Query'],
          _entities: (_root: unknown, { representations }: { representations: Representation[] }) => representations,
        },
        _Entity: { __resolveType: ({ __typename }: Representation) => __typename },
      },
    }),
  })
  const server = createServer(yoga)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    sdl,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
