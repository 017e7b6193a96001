// Writes schema/schema.graphql from the compiled schema. With --check it only compares, and fails if the file is out of
// date. It needs a build first. --dist names another folder than dist/.
import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false }, dist: { type: 'string' } } })
const root = fileURLToPath(new URL('..', import.meta.url))
const dist = values.dist === undefined ? resolve(root, 'dist') : resolve(values.dist)
const file = resolve(root, 'schema/schema.graphql')

const { printedSchema } = await import(pathToFileURL(resolve(dist, 'graphql/printed-schema.js')).href)
const printed = printedSchema()

if (!values.check) {
  await writeFile(file, printed)
} else if ((await readFile(file, 'utf8').catch(() => '')) !== printed) {
  console.error('schema/schema.graphql is out of date. Run `node scripts/print-schema.mjs` and commit the result.')
  process.exitCode = 1
}
