// Builds the client library as a package of its own: `node scripts/package-client.mjs [FOLDER]`, by default
// dist/client-package. `npm pack` in that folder makes the tarball.
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { root } from './prepare/prepare.mjs'
import { runTool } from './prepare/run-tool.mjs'

const folder = resolve(process.argv[2] ?? join(root, 'dist/client-package'))
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
const code = await runTool(
  process.execPath,
  [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'src/client'), '--outDir', join(folder, 'dist')],
  { cwd: root },
)
if (code !== 0) process.exit(code)

const { version, license, engines, dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const description = {
  name: '@cadastre/client',
  version,
  description: 'Follows a Cadastre registry through every break, writes exactly once and holds instances',
  license,
  type: 'module',
  engines,
  exports: { '.': { types: './dist/create-client.d.ts', default: './dist/create-client.js' } },
  files: ['dist', 'README.md', 'LICENSE'],
  sideEffects: false,
  dependencies: { 'graphql-ws': dependencies['graphql-ws'] },
  // Of graphql-ws.
  peerDependencies: { graphql: '^16.0.0' },
}
writeFileSync(join(folder, 'package.json'), `${JSON.stringify(description, null, 2)}\n`)
copyFileSync(join(root, 'docs/clients.md'), join(folder, 'README.md'))
copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
