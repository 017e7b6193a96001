// Writes schema/schema.graphql and schema/subgraph.graphql from the compiled schema. With --check it only compares, and
// fails if a file is out of date. It needs a build first. --dist names another folder than dist/.
import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false }, dist: { type: 'string' } } })
const root = fileURLToPath(new URL('..', import.meta.url))
const dist = values.dist === undefined ? resolve(root, 'dist') : resolve(values.dist)

const load = (module) => import(pathToFileURL(resolve(dist, module)).href)
const { printedSchema } = await load('graphql/printed-schema.js')
const { schema } = await load('graphql/schema.js')
const { printedSubgraph } = await load('server/engine/subgraph.js')

const printed = { 'schema/schema.graphql': printedSchema(), 'schema/subgraph.graphql': printedSubgraph(schema) }
for (const [name, text] of Object.entries(printed)) {
  const file = resolve(root, name)
  if (!values.check) {
    await writeFile(file, text)
  } else if ((await readFile(file, 'utf8').catch(() => '')) !== text) {
    console.error(`${name} is out of date. Run \`node scripts/print-schema.mjs\` and commit the result.`)
    process.exitCode = 1
  }
}
