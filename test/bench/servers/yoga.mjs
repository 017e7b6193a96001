import { createServer } from 'node:http'
import { listen, openEntries, requireOfGateway } from './shared.mjs'

const { createYoga } = requireOfGateway('graphql-yoga')
const SchemaBuilder = requireOfGateway('@pothos/core').default
const { entry, page } = openEntries()
const builder = new SchemaBuilder({})
builder.scalarType('JSON', { serialize: (value) => value })
const Entry = builder.objectRef('Entry').implement({
  fields: (t) => ({
    id: t.exposeString('id'),
    kind: t.exposeString('kind'),
    meta: t.expose('meta', { type: 'JSON' }),
    data: t.expose('data', { type: 'JSON', nullable: true }),
  }),
})
builder.queryType({
  fields: (t) => ({
    entry: t.field({
      type: Entry,
      nullable: true,
      args: { id: t.arg.string({ required: true }) },
      resolve: (_root, { id }) => entry(id),
    }),
    entries: t.field({
      type: [Entry],
      args: { after: t.arg.string({ required: true }) },
      resolve: (_root, { after }) => page(after),
    }),
  }),
})
listen(createServer(createYoga({ schema: builder.toSchema(), graphiql: false, logging: false })))
