import { backoffMs, sleep } from '../connecting/backoff.js'
import { isTransient } from '../connecting/client-error.js'
import type { Connection } from '../connecting/client-options.js'
import { postOperation } from '../connecting/post-operation.js'
import type { ApplyOptions, Operation } from './changeset-input.js'

export interface Applied {
  readonly type: 'Applied'
  readonly version: number
  /** Null for a dry run. */
  readonly revision: number | null
  readonly dryRun: boolean
  readonly replayed: boolean
}

export interface Problem {
  readonly code: string
  readonly message: string
  readonly operation: number | null
  readonly entryId: string | null
  readonly participant: string | null
}

export interface Refused {
  readonly type: 'Refused'
  readonly message: string
  readonly problems: readonly Problem[]
}

const APPLY =
  'mutation ($input: ApplyChangesetInput!) { applyChangeset(input: $input) { __typename ... on Applied { version { number } transition { revision } dryRun replayed } ... on Refused { message problems { code message operation entryId participant } } } }'

type SentResult =
  | {
      readonly __typename: 'Applied'
      readonly version: { readonly number: number }
      readonly transition: { readonly revision: number } | null
      readonly dryRun: boolean
      readonly replayed: boolean
    }
  | { readonly __typename: 'Refused'; readonly message: string; readonly problems: readonly Problem[] }

/** Attempts of one write. The last ones are 10 s apart. */
const ATTEMPTS = 8

/**
 * Applies a changeset exactly once, however often the connection breaks: all attempts have one idempotency key.
 * @throws ClientError if the gateway cannot be reached, or refuses the request itself
 */
export async function apply(
  connection: Connection,
  operations: readonly Operation[],
  { signal, ...options }: ApplyOptions = {},
): Promise<Applied | Refused> {
  const input = { operations, ...options, idempotencyKey: options.idempotencyKey ?? crypto.randomUUID() }
  for (let attempt = 0; ; attempt++) {
    try {
      const data = await postOperation<{ applyChangeset: SentResult }>(connection, APPLY, { input }, signal)
      return outcomeOf(data.applyChangeset)
    } catch (error) {
      if (!isTransient(error) || attempt === ATTEMPTS - 1 || signal?.aborted === true) throw error
    }
    await sleep(backoffMs(attempt), signal)
    signal?.throwIfAborted()
  }
}

function outcomeOf(result: SentResult): Applied | Refused {
  if (result.__typename === 'Refused') return { type: 'Refused', message: result.message, problems: result.problems }
  const { version, transition, dryRun, replayed } = result
  return { type: 'Applied', version: version.number, revision: transition?.revision ?? null, dryRun, replayed }
}
