// Reads entries into the cache of Apollo Client and keeps them up to date: each change fetches its entry again.
// It ends after as many changes as its second argument says.
import { createHash } from 'node:crypto'
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client'
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries'
import { GraphQLWsLink } from '@apollo/client/link/subscriptions'
import { createClient } from 'graphql-ws'
import WebSocket from 'ws'

const [url = 'http://localhost:4000/graphql', count = 'Infinity'] = process.argv.slice(2)

const socket = createClient({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket })
const client = new ApolloClient({
  // The interfaces of the schema, so that fragments on them match.
  cache: new InMemoryCache({ possibleTypes: { EntryState: ['Entry', 'EntryRevision'] } }),
  link: ApolloLink.split(
    ({ operationType }) => operationType === 'subscription',
    new GraphQLWsLink(socket),
    new PersistedQueryLink({ sha256: (text) => createHash('sha256').update(text).digest('hex') }).concat(
      new HttpLink({ uri: url }),
    ),
  ),
})

const ENTRIES = gql`{ entries(first: 100) { cursor nodes { id kind data } } }`
const ENTRY = gql`query Entry($id: EntryID!) { entry(id: $id) { id kind data } }`
const CHANGES = gql`subscription Changes($after: String) { changes(after: $after) { cursor changes { kind entryId } } }`

const { data } = await client.query({ query: ENTRIES })
for (const { id, kind } of data.entries.nodes) console.log('read', id, kind)

let after = data.entries.cursor
let seen = 0
while (seen < Number(count)) {
  // Whatever ends the stream, also a normal end, it continues after the last cursor.
  await new Promise((ended) => {
    const following = client.subscribe({ query: CHANGES, variables: { after } }).subscribe({
      async next({ data: batch }) {
        if (batch == null) return ended()
        after = batch.changes.cursor
        for (const { kind, entryId } of batch.changes.changes) {
          const fresh = await client.query({ query: ENTRY, variables: { id: entryId }, fetchPolicy: 'network-only' })
          console.log(kind, entryId, JSON.stringify(fresh.data.entry?.data ?? null))
          if (++seen >= Number(count)) {
            following.unsubscribe()
            ended()
          }
        }
      },
      error: ended,
      complete: ended,
    })
  })
}

client.stop()
await socket.dispose()
