import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const check = (...args: string[]) =>
  spawnSync(process.execPath, ['scripts/check-migrations.mjs', ...args], { cwd: root, encoding: 'utf8' })

describe('the check of the migrations', () => {
  const folders: string[] = []
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
  })

  it('finds a column that no migration makes, and writes nothing itself', () => {
    // Below the project, so that its packages are found from there.
    const folder = mkdtempSync(join(root, 'node_modules', '.cadastre-tables-'))
    folders.push(folder)
    cpSync(join(root, 'src/store/postgres/base'), folder, { recursive: true })
    const file = join(folder, 'tables.ts')
    writeFileSync(file, `${readFileSync(file, 'utf8')}\nexport const extra = pgTable('extra', { id: integer() })\n`)
    const before = readdirSync(join(root, 'drizzle'))
    const { status, stderr } = check(file)
    expect(stderr).toContain('Run `npx drizzle-kit generate`')
    expect(status).toBe(1)
    expect(readdirSync(join(root, 'drizzle'))).toEqual(before)
  })

  it('fails if the tables cannot be read', () => {
    const { status, stderr } = check('src/no-such-tables.ts')
    expect(stderr).toContain('drizzle-kit failed')
    expect(status).toBe(1)
  })
})
