import { pause } from './pause.js'

/** Thrown when work did not settle within its deadline. */
export class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded'
}

/**
 * Runs work that may never settle. The signal that it receives aborts when the result is no longer awaited.
 * @param ms - deadline in milliseconds, on the monotonic clock
 * @param options - `what` names the work in the error's message; `signal` ends the wait early
 * @throws DeadlineExceeded after `ms`, the signal's reason when `signal` aborts, or what `work` throws
 */
export async function withinDeadline<Result>(
  ms: number,
  work: (signal: AbortSignal) => Promise<Result> | Result,
  { what = 'The call', signal }: { readonly what?: string; readonly signal?: AbortSignal } = {},
): Promise<Result> {
  const ending = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let abort = () => {}
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new DeadlineExceeded(`${what} took longer than ${Math.round(ms)} ms`)),
      Math.max(0, ms),
    )
    abort = () => reject(signal!.reason as Error)
    if (signal?.aborted === true) abort()
    else signal?.addEventListener('abort', abort, { once: true })
  })
  try {
    // Started in a promise, so that a synchronous throw is a rejection.
    return await Promise.race([Promise.resolve().then(() => work(ending.signal)), late])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
    ending.abort()
  }
}

/**
 * Waits until a promise settles, `ms` have passed or the signal aborts, whichever comes first.
 * @returns whether the promise settled
 * @throws the promise's own error
 */
export async function waitAtMost(ms: number, done: Promise<unknown>, signal?: AbortSignal): Promise<boolean> {
  const over = new AbortController()
  try {
    const ended = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal])
    return await Promise.race([done.then(() => true), pause(ms, ended).then(() => false)])
  } finally {
    over.abort()
  }
}
