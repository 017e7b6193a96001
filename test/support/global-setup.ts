import type { TestProject } from 'vitest/node'
import { startThrowawayServer } from './throwaway-server.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** The address of the shared server's maintenance database. */
    postgresUrl: string
  }
}

/** Starts the server that the whole run shares. The returned function stops it and removes its folder. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // To use another server, for example of another version: `CADASTRE_TEST_POSTGRES=postgres://… npm test`.
  const given = process.env['CADASTRE_TEST_POSTGRES']
  if (given !== undefined) {
    project.provide('postgresUrl', given)
    return async () => {}
  }
  const server = await startThrowawayServer({ durable: false })
  project.provide('postgresUrl', server.url('postgres'))
  return () => server.remove()
}
