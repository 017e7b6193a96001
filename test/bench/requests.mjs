// The same request for each system: `REQUESTS[system][request](job)` returns (or resolves to) a function from a request's number to
// `{path, body}` (POST) or `{path}` (GET). `answers` is a text that a correct answer contains.
import { entryOf, idOf, seeded } from './entries.mjs'

const ENTRY = 'query ($id: EntryID!) { entry(id: $id) { id kind meta data } }'
const PAGE = 'query ($after: String) { entries(first: 100, after: $after) { nodes { id kind meta data } } }'
const CURSORS =
  'query ($after: String) { entries(first: 1000, after: $after) { edges { cursor } pageInfo { hasNextPage } } }'
const NODES = 'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Entry { id kind meta data } } }'
const WRITE = 'mutation ($input: ApplyChangesetInput!) { applyChangeset(input: $input) { __typename } }'
const WRITE_WITH_VERSION =
  'mutation ($input: ApplyChangesetInput!) { applyChangeset(input: $input) { __typename ... on Applied { version { number } transition { revision } } } }'
const SHARED = {
  entry: 'query ($id: String!) { entry(id: $id) { id kind meta data } }',
  page: 'query ($after: String!) { entries(after: $after) { id kind meta data } }',
}

const anyId = ({ size, seed }) => {
  const random = seeded(seed)
  return () => idOf(Math.floor(random() * size))
}
const anyIds = (job) => {
  const any = anyId(job)
  return () => Array.from({ length: 100 }, any)
}
const graphql = (query, variables) => ({ path: '/graphql', body: { query, variables } })
// Their pages begin after any entry, so the last hundred are short and one is empty.
const graphqlReads = (entry, page) => ({
  entry: (job) => {
    const any = anyId(job)
    return () => {
      const id = any()
      return { ...graphql(entry, { id }), answers: id }
    }
  },
  page: (job) => {
    const any = anyId(job)
    return () => ({ ...graphql(page, { after: any() }), answers: '"entries":[' })
  },
})
const plainReads = {
  entry: (job) => {
    const any = anyId(job)
    return () => {
      const id = any()
      return { path: `/entry?${id}`, answers: id }
    }
  },
  page: (job) => {
    const any = anyId(job)
    return () => ({ path: `/page?${any()}`, answers: '"entries":[' })
  },
  nodes: (job) => {
    const any = anyIds(job)
    return () => ({ path: '/nodes', body: any(), answers: '"meta"' })
  },
}
const base64 = (text) => Buffer.from(text).toString('base64')
const written =
  ({ operations, run }) =>
  (n) =>
    Array.from({ length: operations }, (_, i) => entryOf(n * operations + i, run))
const etcdPut = ({ id, ...content }) => ({ key: base64(id), value: base64(JSON.stringify(content)) })

const graphqlWrites = (mutation) => (job) => {
  const entries = written(job)
  return (n) => ({
    ...graphql(mutation, { input: { operations: entries(n).map((create) => ({ create })) } }),
    answers: '"Applied"',
  })
}

/** Reads cursors of the gateway at which pages begin, at most 10,000. */
async function cursorsOf(ask) {
  const cursors = []
  for (let after = null; cursors.length < 10_000; ) {
    const { edges, pageInfo } = JSON.parse(await ask(graphql(CURSORS, { after }))).data.entries
    cursors.push(...edges.map(({ cursor }) => cursor))
    if (!pageInfo.hasNextPage) break
    after = edges.at(-1).cursor
  }
  // After the last ones there is no full page of 100.
  return cursors.slice(0, -100)
}

export const REQUESTS = {
  cadastre: {
    entry: graphqlReads(ENTRY, PAGE).entry,
    page: async (job, ask) => {
      const cursors = await cursorsOf(ask)
      const random = seeded(job.seed)
      return () => ({ ...graphql(PAGE, { after: cursors[Math.floor(random() * cursors.length)] }), answers: '"meta"' })
    },
    nodes: (job) => {
      const any = anyIds(job)
      return () => ({ ...graphql(NODES, { ids: any() }), answers: '"meta"' })
    },
    write: graphqlWrites(WRITE),
  },
  'cadastre, answers with version': { write: graphqlWrites(WRITE_WITH_VERSION) },
  yoga: graphqlReads(SHARED.entry, SHARED.page),
  mercurius: graphqlReads(SHARED.entry, SHARED.page),
  floor: plainReads,
  map: plainReads,
  etcd: {
    write: (job) => {
      const entries = written(job)
      return (n) => {
        const puts = entries(n).map(etcdPut)
        return puts.length === 1
          ? { path: '/v3/kv/put', body: puts[0], answers: '"revision"' }
          : {
              path: '/v3/kv/txn',
              body: { success: puts.map((requestPut) => ({ requestPut })) },
              answers: '"succeeded":true',
            }
      }
    },
  },
}
