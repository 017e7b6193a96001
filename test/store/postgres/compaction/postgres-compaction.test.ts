import postgres from 'postgres'
import { describe, expect, it } from 'vitest'
import { parseEntryId } from '../../../../src/core/entry/entry-id.js'
import { openPostgresHistory } from '../../../../src/store/postgres/postgres-history.js'
import { apply, create, historyOptions, update } from '../../../support/commit-requests.js'
import { createTestDatabase } from '../../../support/test-postgres.js'
import { describeCompaction } from '../../contract/compaction-contract.js'

describeCompaction('Postgres', async () => {
  const database = await createTestDatabase()
  const open = () =>
    openPostgresHistory({ ...historyOptions, databaseUrl: database.url, backend: 'postgres', connections: 4 })
  const history = await open()
  return {
    history,
    another: open,
    close: async () => {
      await history.close()
      await database.drop()
    },
  }
})

describe('compacted rows', () => {
  it('report an error if they cannot be removed', async () => {
    const database = await createTestDatabase()
    const faults: unknown[] = []
    const onFault = (what: string, error: unknown) => faults.push([what, (error as Error).message])
    const history = await openPostgresHistory({
      ...historyOptions,
      databaseUrl: database.url,
      backend: 'postgres',
      connections: 4,
      onFault,
    })
    const client = postgres(database.url, { max: 1, onnotice: () => {} })
    try {
      await client.unsafe(`
        CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'nothing is removed here'; END $$;
        CREATE TRIGGER keep BEFORE DELETE ON change FOR EACH ROW EXECUTE FUNCTION keep()`)
      await apply(history, create('a:1', 'thing', {}, 1))
      for (const value of [2, 3]) await apply(history, update('a:1', 'thing', {}, value))
      await history.compact({ before: 3, dryRun: false })
      await expect
        .poll(() => faults)
        .toEqual([['Compacted rows could not be removed', expect.stringContaining('nothing is removed here')]])
      // Readers see the registry that they were promised all the same.
      expect((await history.entries([parseEntryId('a:1')], 'head')).get(parseEntryId('a:1'))?.content.data).toBe(3)
    } finally {
      await client.end()
      await history.close()
      await database.drop()
    }
  })
})
