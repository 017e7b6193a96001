import { type ErrorCode, TRANSIENT_CODES } from '../../core/errors/codes.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import { pause } from './pause.js'

const FIRST_DELAY_MS = 50
/** @bound Longest pause between a follower's retries while the store is unavailable. */
const LONGEST_DELAY_MS = 5_000

/** Whether the same request may succeed later: the store is unavailable or took too long. */
export function isTransient(error: unknown, codes: readonly ErrorCode[] = TRANSIENT_CODES): boolean {
  return error instanceof RegistryError && codes.includes(error.code)
}

/**
 * Retries a read while the store is unavailable, so that followers survive an outage. The pauses grow from 50 ms to 5 s.
 * @param codes - error codes that are retried
 * @returns null if the signal aborts
 * @throws any error of `read` with another code
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

/** Exponential backoff in milliseconds. The jitter keeps followers from retrying all at once. */
export function retryDelay(failures: number): number {
  const delay = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures, 10))
  return delay * (0.5 + Math.random() / 2)
}
