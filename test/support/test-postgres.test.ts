import postgres from 'postgres'
import { describe, expect, it } from 'vitest'
import { createTestDatabase, startTestPostgres } from './test-postgres.js'

describe('the test server', () => {
  it('gives each test its own database', async () => {
    const [one, two] = await Promise.all([createTestDatabase(), createTestDatabase()])
    const [first, second] = [postgres(one.url), postgres(two.url)]
    await first`CREATE TABLE only_here (id int)`
    await expect(second`SELECT * FROM only_here`).rejects.toThrow('does not exist')
    await Promise.all([first.end(), second.end()])
    await Promise.all([one.drop(), two.drop()])
    const gone = postgres(one.url, { max: 1 })
    await expect(gone`SELECT 1`).rejects.toThrow('does not exist')
    await gone.end()
  })

  it('restarts after a SIGKILL without losing an acknowledged write', async () => {
    const server = await startTestPostgres()
    const sql = postgres(server.url, { max: 1 })
    await sql`CREATE TABLE kept (id int)`
    await sql`INSERT INTO kept VALUES (1)`
    const before = server.pid()
    server.kill9()
    await server.start()
    expect(server.pid()).not.toBe(before)
    const again = postgres(server.url, { max: 1 })
    expect(await again`SELECT id FROM kept`).toEqual([{ id: 1 }])
    await Promise.all([sql.end({ timeout: 1 }), again.end({ timeout: 1 })])
    await server.remove()
    expect(() => process.kill(server.pid(), 0)).toThrow('ESRCH')
  })
})
