/**
 * What `npm test` checks before the suite: each a script with its arguments, relative to the clone, that ends with 0 when
 * all is well and says otherwise what is not and what to do.
 */
export const checks = [
  { name: 'types of src and test', script: 'node_modules/typescript/bin/tsc', args: ['--noEmit', '-p', 'test'] },
  { name: 'schema/schema.graphql is what the code gives', script: 'scripts/print-schema.mjs', args: ['--check'] },
  { name: 'docs/bounds.md lists the bounds of the code', script: 'scripts/generate-bounds.mjs', args: ['--check'] },
  { name: 'drizzle/ leads to the tables that the code has', script: 'scripts/check-migrations.mjs', args: [] },
]
