import { pause } from './pause.js'

/** Nothing came in time. */
export class TimeIsUp extends Error {
  override readonly name = 'TimeIsUp'
}

/** Runs work that may never settle. @throws TimeIsUp after `ms`, by the monotonic clock; the signal's reason when that aborts */
export async function withinTime<Result>(
  ms: number,
  work: (signal: AbortSignal) => Promise<Result>,
  signal?: AbortSignal,
): Promise<Result> {
  const ending = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let abort = () => {}
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TimeIsUp(`no answer within ${Math.round(ms)} ms`)), Math.max(0, ms))
    abort = () => reject(signal!.reason as Error)
    if (signal?.aborted === true) abort()
    else signal?.addEventListener('abort', abort, { once: true })
  })
  try {
    // Begun in a promise: what throws at once has failed like what rejects.
    return await Promise.race([Promise.resolve().then(() => work(ending.signal)), late])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
    ending.abort()
  }
}

/** Waits for something that need not end, for a while. */
export async function waitFor(done: Promise<unknown>, ms: number): Promise<void> {
  const waiting = new AbortController()
  await Promise.race([done, pause(ms, waiting.signal)])
  waiting.abort()
}
