import { type ErrorCode, TRANSIENT_CODES } from '../../core/errors/codes.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import { pause } from './pause.js'

const FIRST_DELAY_MS = 50
/** @bound Longest pause between a follower's retries while the store is unavailable. */
const LONGEST_DELAY_MS = 5_000

/** Whether the store may well answer the same question later. */
export function isTransient(error: unknown, codes: readonly ErrorCode[] = TRANSIENT_CODES): boolean {
  return error instanceof RegistryError && codes.includes(error.code)
}

/**
 * Reads again and again while the store is away, so that a follower outlives it: after 50 ms at first, 5 s
 * at most. Any other error is the caller's. Null when the signal aborts.
 */
export async function retryWhileUnavailable<Result>(
  signal: AbortSignal,
  read: () => Promise<Result>,
  codes: readonly ErrorCode[] = TRANSIENT_CODES,
): Promise<Result | null> {
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      return await read()
    } catch (error) {
      if (!isTransient(error, codes)) throw error
      await pause(retryDelay(failures), signal)
    }
  }
  return null
}

/** Doubles, with jitter: followers must not all come back at one instant. */
export function retryDelay(failures: number): number {
  const delay = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures, 10))
  return delay * (0.5 + Math.random() / 2)
}
