import Fastify from 'fastify'
import mercurius from 'mercurius'
import { openEntries } from './shared.mjs'

const { entry, page } = openEntries()
const app = Fastify()
app.register(mercurius, {
  schema: `
    scalar JSON
    type Entry { id: String! kind: String! meta: JSON! data: JSON }
    type Query { entry(id: String!): Entry entries(after: String!): [Entry!]! }`,
  resolvers: { Query: { entry: (_root, { id }) => entry(id), entries: (_root, { after }) => page(after) } },
  jit: 1,
})
await app.listen({ host: '127.0.0.1', port: 0 })
console.log(`listening ${app.server.address().port}`)
