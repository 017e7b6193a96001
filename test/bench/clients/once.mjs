// Sends one large request, made here, and reports the time until its answer.

import { entryOf } from '../entries.mjs'
import { openConnection, requestBytes } from './connection.mjs'

const APPLY =
  'mutation ($input: ApplyChangesetInput!) { applyChangeset(input: $input) { __typename ... on Applied { version { number } } } }'
const MOVE =
  'mutation ($input: ApplyVersionInput!) { applyVersion(input: $input) { __typename ... on Applied { version { number } } } }'

process.once('message', (job) =>
  run(job).then(
    (done) => process.send({ done }, () => process.exit(0)),
    (error) => {
      process.send({ failed: String(error.stack) }, () => process.exit(1))
    },
  ),
)

async function run({ port, operations, run, version }) {
  const input =
    version !== undefined
      ? { version }
      : { operations: Array.from({ length: operations }, (_, i) => ({ create: entryOf(i, run) })) }
  const bytes = requestBytes({
    path: '/graphql',
    body: { query: version !== undefined ? MOVE : APPLY, variables: { input } },
  })
  const connection = await openConnection(port)
  process.send('began')
  const began = performance.now()
  const body = await connection.ask(bytes)
  const ms = performance.now() - began
  connection.close()
  if (!body.includes('"Applied"')) throw new Error(body.slice(0, 500))
  return { ms, number: Number(/"number":(\d+)/.exec(body)[1]) }
}
