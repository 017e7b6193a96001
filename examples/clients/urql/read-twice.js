// Reads entries into urql's normalized cache. A later read of one entry shows in the list, which is not fetched again.
import { Client, fetchExchange } from '@urql/core'
import { cacheExchange } from '@urql/exchange-graphcache'
import { getIntrospectionQuery } from 'graphql'

const [url = 'http://localhost:4000/graphql'] = process.argv.slice(2)

const answer = await fetch(url, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ query: getIntrospectionQuery({ descriptions: false }) }),
})
const { data: schema } = await answer.json()

const client = new Client({
  url,
  preferGetMethod: false,
  // With the schema, the cache matches fragments on interfaces and warns of unknown fields.
  exchanges: [cacheExchange({ schema }), fetchExchange],
})

const LIST = '{ entries(first: 100) { nodes { id kind data } } }'
const WRITE = `mutation ($id: EntryID!, $kind: String!, $data: JSON) {
  applyChangeset(input: { operations: [{ update: { id: $id, kind: $kind, data: $data } }] }) {
    __typename ... on Refused { message }
  }
}`

const list = await client.query(LIST, {}).toPromise()
const [first] = list.data.entries.nodes
console.log('before', first.id, JSON.stringify(first.data))

const written = await client.mutation(WRITE, { ...first, data: { at: 'urql' } }).toPromise()
if (written.error !== undefined) throw written.error
const { __typename, message } = written.data.applyChangeset
if (__typename === 'Refused') throw new Error(message)
await client.query('query ($id: EntryID!) { entry(id: $id) { id data } }', { id: first.id }).toPromise()

const cached = await client.query(LIST, {}, { requestPolicy: 'cache-only' }).toPromise()
const again = cached.data.entries.nodes.find(({ id }) => id === first.id)
console.log('after', again.id, JSON.stringify(again.data))
