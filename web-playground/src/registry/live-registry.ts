import type { Client } from 'graphql-ws'
import type { Endpoint } from '../endpoint'
import {
  FollowHeadDocument,
  type FollowHeadSubscription,
  RecentVersionsDocument,
  type RecentVersionsQuery,
} from './page-documents'

/** A version as the page shows it. */
export type VersionNode = RecentVersionsQuery['versions']['nodes'][number]

export type ConnectionState = 'connecting' | 'live' | 'lost'

/** The page's current view of the registry. It is immutable; each change creates a new one. */
export interface RegistryView {
  readonly connection: ConnectionState
  /** The head's version and revision; absent before the first answer. */
  readonly head?: number
  readonly revision?: number
  /** The latest versions, ascending. */
  readonly versions: readonly VersionNode[]
  readonly versionCount: number
  /** Why the shown versions may be outdated, or null. */
  readonly problem: string | null
}

export interface LiveRegistry {
  /** Calls the listener after every change. Returns a function that removes it. */
  readonly listen: (listener: () => void) => () => void
  readonly view: () => RegistryView
}

/** Versions that the panel draws: enough to show the tree's shape, few enough to fetch after every changeset. */
const SHOWN_VERSIONS = 60
/** A burst of changesets costs the gateway at most five queries per second. */
const SHORTEST_PAUSE_MS = 200
const RETRY_MS = 5_000

const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds))

const fetchVersions = async (endpoint: Endpoint): Promise<RecentVersionsQuery> => {
  const response = await fetch(endpoint.http, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
    body: JSON.stringify({ query: RecentVersionsDocument.text, variables: { last: SHOWN_VERSIONS } }),
    signal: AbortSignal.timeout(10_000),
  })
  const answer = (await response.json()) as {
    data?: RecentVersionsQuery | null
    errors?: readonly { message: string }[]
  }
  if (!answer.data) throw new Error(answer.errors?.[0]?.message ?? `HTTP ${response.status}`)
  return answer.data
}

/** Follows the head until the page is closed. */
export const followRegistry = (endpoint: Endpoint, client: Client): LiveRegistry => {
  let current: RegistryView = { connection: 'connecting', versions: [], versionCount: 0, problem: null }
  const listeners = new Set<() => void>()
  const change = (part: Partial<RegistryView>) => {
    current = { ...current, ...part }
    for (const listener of listeners) listener()
  }

  let wanted = false
  let fetching = false
  /** Runs one query at a time. Changes that arrive meanwhile cause one more query together. */
  const refresh = async () => {
    wanted = true
    if (fetching) return
    fetching = true
    while (wanted) {
      wanted = false
      try {
        const { nodes, totalCount } = (await fetchVersions(endpoint)).versions
        change({ versions: nodes, versionCount: totalCount, problem: null })
        await pause(SHORTEST_PAUSE_MS)
      } catch (error) {
        change({ problem: error instanceof Error ? error.message : String(error) })
        await pause(RETRY_MS)
        // Without a connection a query is useless. The first batch after reconnecting starts one.
        wanted ||= current.connection === 'live'
      }
    }
    fetching = false
  }

  const subscribe = () => {
    client.subscribe<FollowHeadSubscription>(
      { query: FollowHeadDocument.text },
      {
        next({ data }) {
          if (!data) return
          const { revision, version } = data.changes
          const moved = revision !== current.revision
          change({ connection: 'live', revision, head: version.number })
          if (moved || current.problem !== null) void refresh()
        },
        // The client reconnects by itself. An error here is a refusal of the gateway.
        error: () => {
          change({ connection: 'lost' })
          setTimeout(subscribe, RETRY_MS)
        },
        complete: () => setTimeout(subscribe, RETRY_MS),
      },
    )
  }
  client.on('closed', () => change({ connection: 'lost' }))
  subscribe()

  return {
    listen(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    view: () => current,
  }
}
