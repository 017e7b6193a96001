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

/** What the page knows of the registry at this moment; immutable, a new one for each change. */
export interface RegistryView {
  readonly connection: ConnectionState
  /** Where the head stands and at which revision; absent before the first answer. */
  readonly head?: number
  readonly revision?: number
  /** The latest versions, ascending. */
  readonly versions: readonly VersionNode[]
  readonly versionCount: number
  /** Why the versions shown may be out of date; null where they are not. */
  readonly problem: string | null
}

export interface LiveRegistry {
  /** Calls the listener after every change; gives what ends that. */
  readonly listen: (listener: () => void) => () => void
  readonly view: () => RegistryView
}

/** What the panel draws: enough to see the shape of the tree, little enough to fetch anew with every changeset. */
const SHOWN_VERSIONS = 60
/** A burst of changesets costs the gateway five looks at its versions a second at most. */
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

/** Follows the head from now until the page goes away. */
export const followRegistry = (endpoint: Endpoint, client: Client): LiveRegistry => {
  let current: RegistryView = { connection: 'connecting', versions: [], versionCount: 0, problem: null }
  const listeners = new Set<() => void>()
  const change = (part: Partial<RegistryView>) => {
    current = { ...current, ...part }
    for (const listener of listeners) listener()
  }

  let wanted = false
  let fetching = false
  /** One look at a time; what arrives meanwhile asks for one more, not for one each. */
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
        // Without a connection there is no use in asking: the first batch after it comes back asks anew.
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
        // The client comes back from lost connections by itself: what arrives here is the gateway's own refusal.
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
