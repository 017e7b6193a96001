// Fails if drizzle/ does not lead to the tables of src/store/postgres/base/tables.ts. If so, drizzle-kit, which runs on
// a copy of it, writes another migration.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const tables = process.argv[2] ?? 'src/store/postgres/base/tables.ts'
const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'cadastre-migrations-')))
try {
  cpSync(join(root, 'drizzle'), join(scratch, 'drizzle'), { recursive: true })
  const { stdout, stderr, status, error } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/drizzle-kit/bin.cjs'),
      'generate',
      '--dialect',
      'postgresql',
      '--schema',
      tables,
      '--out',
      relative(root, join(scratch, 'drizzle')),
    ],
    // Without a terminal, it fails instead of asking.
    { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8', timeout: 60_000 },
  )
  const further = readdirSync(join(scratch, 'drizzle')).length - readdirSync(join(root, 'drizzle')).length
  if (status !== 0) {
    process.stderr.write(`drizzle-kit failed: ${error?.message ?? ''}\n${stdout}${stderr}`)
    process.exitCode = 1
  } else if (further !== 0) {
    process.stderr.write(
      'The tables have changed since drizzle/ was generated. Run `npx drizzle-kit generate` and commit the result.\n',
    )
    process.exitCode = 1
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
