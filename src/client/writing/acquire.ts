import { sleep } from '../connecting/backoff.js'
import { ClientError, isTransient } from '../connecting/client-error.js'
import type { Connection } from '../connecting/client-options.js'
import { postOperation } from '../connecting/post-operation.js'

export interface AcquireOptions {
  /** The name, unique among the live instances of the entry. */
  readonly name: string
  /** Time after which the instance expires unless it is renewed, 1 to 86,400. */
  readonly ttlSeconds: number
  readonly metadata?: unknown
  /** Called once if the instance is lost: it expired, or somebody ended it. */
  readonly onLost?: (error: ClientError) => void
}

/** An instance of an entry that this client holds. It is renewed until it is released. */
export interface HeldInstance {
  readonly id: string
  /** Rises with each acquisition of the entry. Send it with every write that the instance protects. */
  readonly fencingToken: number
  /** Aborts when the instance is lost or released. */
  readonly signal: AbortSignal
  release(): Promise<void>
}

const ACQUIRE = 'mutation ($input: AcquireInstanceInput!) { acquireInstance(input: $input) { id fencingToken } }'
const RENEW = 'mutation ($id: ID!) { renewInstance(id: $id) { id } }'
const RELEASE = 'mutation ($id: ID!) { releaseInstance(id: $id) }'
/** Renewals within one time to live, so that two may fail. */
const RENEWALS = 3

/** @throws ClientError INSTANCE_EXISTS, ENTRY_NOT_FOUND, and as requests do */
export async function acquire(
  connection: Connection,
  entry: string,
  { name, ttlSeconds, metadata, onLost }: AcquireOptions,
): Promise<HeldInstance> {
  const input = { entry, name, ttlSeconds, ...(metadata !== undefined && { metadata }) }
  const begun = performance.now()
  const { acquireInstance } = await postOperation<{ acquireInstance: { id: string; fencingToken: number } }>(
    connection,
    ACQUIRE,
    { input },
  )
  const { id, fencingToken } = acquireInstance
  const ended = new AbortController()
  const lose = (error: ClientError) => {
    if (ended.signal.aborted) return
    ended.abort(error)
    onLost?.(error)
  }
  void renewUntilEnded(connection, id, ttlSeconds * 1_000, begun, ended.signal, lose)
  return {
    id,
    fencingToken,
    signal: ended.signal,
    async release() {
      if (ended.signal.aborted) return
      ended.abort(new ClientError('The instance was released.', 'INSTANCE_EXPIRED'))
      await postOperation(connection, RELEASE, { id })
    },
  }
}

/** Renews an instance. It is lost when the gateway says so, or when it has certainly expired. */
async function renewUntilEnded(
  connection: Connection,
  id: string,
  ttlMs: number,
  begun: number,
  signal: AbortSignal,
  lose: (error: ClientError) => void,
): Promise<void> {
  // The instance lives at least this long after a request was sent that renewed it.
  let until = begun + ttlMs
  for (;;) {
    await sleep(Math.min(ttlMs / RENEWALS, Math.max(0, until - performance.now())), signal)
    if (signal.aborted) return
    const now = performance.now()
    if (now >= until) return lose(new ClientError('The instance could not be renewed in time.', 'INSTANCE_EXPIRED'))
    try {
      await postOperation({ ...connection, requestTimeoutMs: Math.ceil(until - now) }, RENEW, { id }, signal)
      until = now + ttlMs
    } catch (error) {
      if (signal.aborted) return
      if (!isTransient(error)) return lose(error instanceof ClientError ? error : unexpected(error))
    }
  }
}

function unexpected(cause: unknown): ClientError {
  return new ClientError('The instance could not be renewed.', 'UNREACHABLE', { cause })
}
