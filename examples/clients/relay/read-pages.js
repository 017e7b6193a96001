// Reads all entries page by page into one connection of Relay's store, and prints them.
// First copy schema/schema.graphql to this folder and run `npx relay-compiler`.
import relay from 'relay-runtime'
import EntryListPageQuery from './__generated__/EntryListPageQuery.graphql.js'
import EntryListQuery from './__generated__/EntryListQuery.graphql.js'

const { Environment, Network, RecordSource, Store, createOperationDescriptor, fetchQuery } = relay
const [url = 'http://localhost:4000/graphql'] = process.argv.slice(2)

const environment = new Environment({
  store: new Store(new RecordSource()),
  network: Network.create(async ({ text: query }, variables) => {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    })
    return answer.json()
  }),
})

// Relay may collect an operation that is not retained, between two pages.
environment.retain(createOperationDescriptor(EntryListQuery, {}))
await fetchQuery(environment, EntryListQuery, {}).toPromise()
const record = (id) => environment.getStore().getSource().get(id)
for (;;) {
  const connection = record('client:root:__EntryList_entries_connection')
  const { endCursor, hasNextPage } = record(connection.pageInfo.__ref)
  if (!hasNextPage) {
    const nodes = connection.edges.__refs.map((edge) => record(record(edge).node.__ref))
    for (const { id, kind } of nodes) console.log(id, kind)
    break
  }
  await fetchQuery(environment, EntryListPageQuery, { count: 2, cursor: endCursor }).toPromise()
}
