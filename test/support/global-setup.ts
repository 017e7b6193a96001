import type { TestProject } from 'vitest/node'
import { throwawayServer } from './throwaway-server.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** The address of the shared server's maintenance database. */
    postgresUrl: string
  }
}

/** Starts the one server that the whole run shares; what is returned stops it and removes its folder. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await throwawayServer({ durable: false })
  project.provide('postgresUrl', server.url('postgres'))
  return () => server.remove()
}
