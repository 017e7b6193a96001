// Sends one of the heaviest requests that the limits allow, and reports the time until its answer.
import { openConnection, requestBytes } from './connection.mjs'

const APPLY =
  'mutation ($input: ApplyChangesetInput!) { applyChangeset(input: $input) { __typename ... on Applied { warnings { code } } } }'
const BUILD_DELTA = 'query ($to: [EntryInput!]!) { buildDelta(from: [], to: $to) { created } }'

const numbered = (count, item) => Array.from({ length: count }, (_, i) => item(i))
const dryRun = (operations, more = {}) => ({
  query: APPLY,
  variables: { input: { dryRun: true, operations: operations.map((create) => ({ create })), ...more } },
})
const named = (name, more) => ({ id: `heavy:${name}`, kind: 'heavy', ...more })

/** The inputs by the name of their system. Each once held the event loop for a second or more. */
const INPUTS = {
  'references in buildDelta': () => {
    const all = numbered(1_500, (i) => `heavy:${i}`)
    return { query: BUILD_DELTA, variables: { to: all.map((_, i) => named(i, { data: { depends_on: all } })) } }
  },
  'references in a changeset': () => {
    const all = numbered(1_500, (i) => `heavy:${i}`)
    return dryRun(all.map((_, i) => named(i, { data: { depends_on: all } })))
  },
  'operations in a changeset': () => dryRun(numbered(100_000, (i) => named(i, { meta: { i } }))),
  'operations for one id': () => dryRun(numbered(100_000, (i) => named('same', { meta: { i } }))),
  'values in an entry': () => dryRun([named('values', { data: numbered(340_000, () => []) })]),
  'keys in an entry': () =>
    dryRun([named('keys', { data: Object.fromEntries(numbered(90_000, (i) => [`k${i}`, 1])) })], {
      idempotencyKey: 'keys',
    }),
}

process.once('message', (job) =>
  run(job).then(
    (done) => process.send({ done }, () => process.exit(0)),
    (error) => {
      process.send({ failed: String(error.stack) }, () => process.exit(1))
    },
  ),
)

async function run({ port, input }) {
  const bytes = requestBytes({ path: '/graphql', body: INPUTS[input]() })
  const connection = await openConnection(port)
  process.send('began')
  const began = performance.now()
  const body = await connection.ask(bytes)
  const ms = performance.now() - began
  connection.close()
  if (!body.startsWith('{"data"')) throw new Error(body.slice(0, 500))
  return { ms }
}
