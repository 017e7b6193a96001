import postgres from 'postgres'
import { addArrayTypes } from './array-types.js'
import { connectionOptions } from './connection-options.js'
import { BIGINT_AS_NUMBER, type Sql } from './retrying-client.js'

/** Runs work on a connection of its own, without the deadline of reads. */
export async function withClient<T>(databaseUrl: string, work: (client: Sql) => Promise<T>): Promise<T> {
  const client = addArrayTypes(postgres({ ...connectionOptions(databaseUrl), max: 1, types: BIGINT_AS_NUMBER }))
  try {
    return await work(client)
  } finally {
    await client.end({ timeout: 5 })
  }
}
